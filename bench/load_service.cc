// What the benchmark sends through an instance, both ends of it.
//
//   load_service PORT                    serves echo and discard on PORT until killed
//   load_service late PORT FILE          as PORT, after 20 ms; the time of its listen(2) to FILE
//   load_service lines COUNT FILE        writes COUNT lines of 100 bytes; its seconds to FILE
//   load_service first HOST PORT FILE    a connection and a round trip; milliseconds to FILE
//   load_service rtt HOST PORT FILE      median of 2,000 round trips; microseconds to FILE
//   load_service pour HOST PORT FILE     a stream of 512 MiB; Gbit/s to FILE
//
// A client's first byte says what it wants: `e` echoes each byte, `d` discards all and answers one
// byte at the end.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void tell(const char* file, double figure) {
  std::FILE* out = std::fopen(file, "w");
  if (out == nullptr || std::fprintf(out, "%.9f\n", figure) < 0 || std::fclose(out) != 0)
    fail(file);
}

int listen_on(const char* port) {
  const int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(static_cast<std::uint16_t>(std::atoi(port)));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (listen(listener, 64) != 0) fail("listen");
  return listener;
}

/// Both ends of a round trip on the same one: else most of it is the waking of another, or not, as
/// the scheduler has placed them.
void stay_on_one_processor() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int first = 0;
  while (!CPU_ISSET(first, &allowed)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  sched_setaffinity(0, sizeof one, &one);
}

void answer(int client) {
  const int one = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  std::vector<char> buffer(256 * 1024);
  char wish = 0;
  if (read(client, &wish, 1) == 1) {
    if (wish == 'e') stay_on_one_processor();
    for (ssize_t length = 0; (length = read(client, buffer.data(), buffer.size())) > 0;)
      if (wish == 'e' && write(client, buffer.data(), static_cast<std::size_t>(length)) != length)
        break;
    if (wish == 'd') (void)!write(client, "d", 1);
  }
  close(client);
}

[[noreturn]] void serve(int listener) {
  std::signal(SIGPIPE, SIG_IGN);
  for (;;) {
    const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) std::thread(answer, client).detach();
  }
}

int connect_to(const char* host, const char* port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host, port, &hints, &found) != 0) fail(host);
  const int server = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(server, found->ai_addr, found->ai_addrlen) != 0) fail("connect");
  freeaddrinfo(found);
  const int one = 1;
  setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return server;
}

void wish(int server, char what) {
  if (write(server, &what, 1) != 1) fail("write");
}

void round_trip(int server) {
  char byte = 'x';
  if (write(server, &byte, 1) != 1 || read(server, &byte, 1) != 1) fail("round trip");
}

double first_request(const char* host, const char* port) {
  const double start = seconds(CLOCK_MONOTONIC);
  const int server = connect_to(host, port);
  wish(server, 'e');
  round_trip(server);
  return (seconds(CLOCK_MONOTONIC) - start) * 1e3;
}

double median_round_trip(const char* host, const char* port) {
  stay_on_one_processor();
  const int server = connect_to(host, port);
  wish(server, 'e');
  std::vector<double> times;
  for (int i = 0; i < 2000; ++i) {
    const double start = seconds(CLOCK_MONOTONIC);
    round_trip(server);
    times.push_back((seconds(CLOCK_MONOTONIC) - start) * 1e6);
  }
  std::nth_element(times.begin(), times.begin() + 1000, times.end());
  return times[1000];
}

double pour(const char* host, const char* port) {
  constexpr std::size_t kTotal = 512UL << 20;
  const std::vector<char> buffer(128 * 1024);
  const int server = connect_to(host, port);
  wish(server, 'd');
  const double start = seconds(CLOCK_MONOTONIC);
  for (std::size_t sent = 0; sent < kTotal; sent += buffer.size())
    for (std::size_t part = 0; part < buffer.size();) {
      const ssize_t length = write(server, buffer.data() + part, buffer.size() - part);
      if (length <= 0) fail("write");
      part += static_cast<std::size_t>(length);
    }
  shutdown(server, SHUT_WR);
  char done = 0;
  if (read(server, &done, 1) != 1) fail("read");
  return static_cast<double>(kTotal) * 8e-9 / (seconds(CLOCK_MONOTONIC) - start);
}

void write_lines(long count, const char* file) {
  const std::string line = std::string(99, 'x') + '\n';
  const double start = seconds(CLOCK_MONOTONIC);
  for (long i = 0; i < count; ++i) std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
  tell(file, seconds(CLOCK_MONOTONIC) - start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (argc == 2) serve(listen_on(argv[1]));
  if (mode == "late" && argc == 4) {
    usleep(20'000);
    const int listener = listen_on(argv[2]);
    tell(argv[3], seconds(CLOCK_REALTIME));
    serve(listener);
  }
  if (mode == "lines" && argc == 4) {
    write_lines(std::atol(argv[2]), argv[3]);
    return 0;
  }
  if (argc != 5) return 2;
  double (*const measure)(const char*, const char*) = mode == "first"  ? first_request
                                                      : mode == "rtt"  ? median_round_trip
                                                      : mode == "pour" ? pour
                                                                       : nullptr;
  if (measure == nullptr) return 2;
  tell(argv[4], measure(argv[2], argv[3]));
}
