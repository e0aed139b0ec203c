// attempts: tries what a program in a sandbox must not get away with, and tells what the kernel
// answered: `ACTION WORDS...: ok [what came of it]` or `ACTION WORDS...: ERRNO`. It ends well
// either way: that an attempt failed is for the test to judge, beside one that must succeed.
//
// Everything is undone or harmless where it succeeds: the same attempts are made outside too.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <set>
#include <vector>

#include "behaviours.h"

namespace isoenv::test {
namespace {

constexpr timeval kPatienceWithTheHost{2, 0};

/// What an attempt was answered: -1 with errno, else it succeeded and may tell what it got.
struct Answer {
  int error_number = 0;
  std::string got;
};

Answer failed() { return {errno, ""}; }
Answer judged(long result) { return result < 0 ? failed() : Answer{}; }

int word_as_number(const std::string& text) { return std::stoi(text); }

/// A numeric address of either family with a port.
socklen_t inet_address(const std::string& host, const std::string& port, sockaddr_storage& place) {
  if (host.find(':') != std::string::npos) {
    auto* address = reinterpret_cast<sockaddr_in6*>(&place);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(static_cast<std::uint16_t>(port_number(port)));
    if (::inet_pton(AF_INET6, host.c_str(), &address->sin6_addr) != 1) throw Failure("no address");
    return sizeof *address;
  }
  auto* address = reinterpret_cast<sockaddr_in*>(&place);
  address->sin_family = AF_INET;
  address->sin_port = htons(static_cast<std::uint16_t>(port_number(port)));
  if (::inet_pton(AF_INET, host.c_str(), &address->sin_addr) != 1) throw Failure("no address");
  return sizeof *address;
}

/// Sends a line and waits for one: a connection alone proves nothing with UDP.
Answer converse(int fd, const sockaddr* address, socklen_t length) {
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatienceWithTheHost, sizeof kPatienceWithTheHost);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatienceWithTheHost, sizeof kPatienceWithTheHost);
  std::array<char, 256> answer{};
  // Who hangs up at once may have said why.
  const auto sent = [fd] { return ::send(fd, "hello\n", 6, MSG_NOSIGNAL) >= 0 || errno == EPIPE; };
  if (::connect(fd, address, length) != 0 || !sent() ||
      ::recv(fd, answer.data(), answer.size() - 1, 0) < 0) {
    const Answer refused = failed();
    ::close(fd);
    return refused;
  }
  ::close(fd);
  return {0, std::string(answer.data()).substr(0, std::strcspn(answer.data(), "\n"))};
}

Answer talk_inet(const Arguments& words, int type) {
  sockaddr_storage place{};
  const socklen_t length = inet_address(argument(words, 0), argument(words, 1), place);
  return converse(::socket(place.ss_family, type | SOCK_CLOEXEC, 0),
                  reinterpret_cast<sockaddr*>(&place), length);
}

/// `@name` is in the abstract namespace, everything else a path.
socklen_t unix_address(const std::string& name, sockaddr_un& address) {
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) throw Failure("the name is too long");
  name.copy(address.sun_path, name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
}

Answer talk_unix(const Arguments& words) {
  sockaddr_un address{};
  const socklen_t length = unix_address(argument(words, 0), address);
  return converse(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                  reinterpret_cast<sockaddr*>(&address), length);
}

Answer list(const Arguments& words) {
  DIR* entries = ::opendir(argument(words, 0).c_str());
  if (entries == nullptr) return failed();
  std::set<std::string> names;
  while (const dirent* entry = ::readdir(entries)) {
    if (entry->d_name[0] != '.') names.insert(entry->d_name);
  }
  ::closedir(entries);
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return {0, text};
}

Answer open_file(const Arguments& words, int flags) {
  const int fd = ::open(argument(words, 0).c_str(), flags | O_CLOEXEC);
  if (fd < 0) return failed();
  ::close(fd);
  return {};
}

/// Writes back what it reads: a setting stays as it is where this succeeds.
Answer rewrite(const Arguments& words) {
  const int fd = ::open(argument(words, 0).c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return failed();
  std::array<char, 4096> text{};
  const ssize_t size = ::read(fd, text.data(), text.size());
  Answer answer = judged(size);
  if (size > 0) answer = judged(::pwrite(fd, text.data(), static_cast<std::size_t>(size), 0));
  ::close(fd);
  return answer;
}

Answer trace(const Arguments& words) {
  const pid_t pid = word_as_number(argument(words, 0));
  const Answer answer = judged(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr));
  if (answer.error_number == 0 && ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0) {
    ::waitpid(pid, nullptr, __WALL);
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  }
  return answer;
}

Answer shared_memory(const Arguments& words) {
  const int fd = ::shm_open(argument(words, 0).c_str(), O_RDWR, 0);
  if (fd < 0) return failed();
  ::close(fd);
  return {};
}

Answer posix_queue(const Arguments& words) {
  const mqd_t queue = ::mq_open(argument(words, 0).c_str(), O_RDONLY | O_NONBLOCK);
  if (queue < 0) return failed();
  ::mq_close(queue);
  return {};
}

Answer join(const Arguments& words) {
  const int fd = ::open(argument(words, 0).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed();
  const Answer answer = judged(::setns(fd, 0));
  ::close(fd);
  return answer;
}

Answer raw_socket(const Arguments&) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return failed();
  ::close(fd);
  return {};
}

Answer type_at_terminal(const Arguments&) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
  if (terminal < 0) return failed();
  char letter = '\n';
  const Answer answer = judged(::ioctl(terminal, TIOCSTI, &letter));
  ::close(terminal);
  return answer;
}

using Attempt = Answer (*)(const Arguments&);

const std::map<std::string, Attempt> kAttempts = {
    {"tcp", [](const Arguments& words) { return talk_inet(words, SOCK_STREAM); }},
    {"udp", [](const Arguments& words) { return talk_inet(words, SOCK_DGRAM); }},
    {"unix", talk_unix},
    {"list", list},
    {"read", [](const Arguments& words) { return open_file(words, O_RDONLY); }},
    {"write", [](const Arguments& words) { return open_file(words, O_WRONLY); }},
    {"rewrite", rewrite},
    {"signal",
     [](const Arguments& words) { return judged(::kill(word_as_number(argument(words, 0)), 0)); }},
    {"trace", trace},
    {"shared_memory", shared_memory},
    {"posix_queue", posix_queue},
    {"sysv_queue",
     [](const Arguments& words) {
       return judged(::msgget(static_cast<key_t>(word_as_number(argument(words, 0))), 0));
     }},
    {"join", join},
    {"raw_socket", raw_socket},
    {"unmount",
     [](const Arguments& words) {
       return judged(::umount2(argument(words, 0).c_str(), MNT_DETACH));
     }},
    {"mount",
     [](const Arguments& words) {
       return judged(::mount("none", argument(words, 0).c_str(), "tmpfs", 0, nullptr));
     }},
    {"setuid",
     [](const Arguments& words) {
       return judged(::setuid(static_cast<uid_t>(word_as_number(argument(words, 0)))));
     }},
    {"hostname", [](const Arguments&) { return judged(::sethostname("taken", 5)); }},
    {"terminal", type_at_terminal},
};

}  // namespace

void attempts(const Arguments& words) {
  const auto found = kAttempts.find(argument(words, 0));
  if (found == kAttempts.end()) throw Failure("no attempt is called '" + words[0] + "'");
  const Answer answer = found->second({words.begin() + 1, words.end()});
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  line += ": ";
  line += answer.error_number == 0 ? "ok" : ::strerrorname_np(answer.error_number);
  std::cout << line << (answer.got.empty() ? "" : " " + answer.got) << std::endl;
}

void offers(const Arguments& words) {
  const std::string kind = argument(words, 0);
  const std::string name = argument(words, 1);
  if (kind == "shared_memory") {
    if (::shm_open(name.c_str(), O_RDWR | O_CREAT, 0600) < 0) fail("shm_open");
  } else if (kind == "posix_queue") {
    if (::mq_open(name.c_str(), O_RDWR | O_CREAT, 0600, nullptr) < 0) fail("mq_open");
  } else if (kind == "sysv_queue") {
    if (::msgget(static_cast<key_t>(word_as_number(name)), IPC_CREAT | 0600) < 0) fail("msgget");
  } else {
    throw Failure("nothing of the kind '" + kind + "' can be offered");
  }
}

void withdraws(const Arguments& words) {
  const std::string kind = argument(words, 0);
  const std::string name = argument(words, 1);
  if (kind == "shared_memory") ::shm_unlink(name.c_str());
  if (kind == "posix_queue") ::mq_unlink(name.c_str());
  if (kind == "sysv_queue") {
    ::msgctl(::msgget(static_cast<key_t>(word_as_number(name)), 0), IPC_RMID, nullptr);
  }
}

void listens_everywhere(const Arguments&) {
  std::vector<pollfd> listeners;
  std::string told;
  const auto add = [&](const std::string& what, const sockaddr* address, socklen_t length,
                       int type) {
    const int fd = ::socket(address->sa_family, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::bind(fd, address, length) != 0) fail("bind " + what);
    if (type == SOCK_STREAM && ::listen(fd, 16) != 0) fail("listen " + what);
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    // The port stands at the same place in both families' addresses.
    const unsigned port = ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
    told += what + (address->sa_family == AF_UNIX ? "" : " " + std::to_string(port)) + "\n";
    listeners.push_back({fd, POLLIN, 0});
  };
  for (const char* host : {"127.0.0.1", "::1"}) {
    sockaddr_storage place{};
    const socklen_t length = inet_address(host, "0", place);
    const auto* address = reinterpret_cast<const sockaddr*>(&place);
    add(std::string("tcp ") + host, address, length, SOCK_STREAM);
    add(std::string("udp ") + host, address, length, SOCK_DGRAM);
  }
  const std::string name = "@isoenv-test-" + std::to_string(::getpid());
  sockaddr_un abstract{};
  const socklen_t length = unix_address(name, abstract);
  add("unix " + name, reinterpret_cast<const sockaddr*>(&abstract), length, SOCK_STREAM);
  std::cout << told << "listening" << std::endl;
  for (;;) {
    ::poll(listeners.data(), listeners.size(), -1);
    for (const pollfd& listener : listeners) {
      if (listener.revents == 0) continue;
      char byte = 0;
      sockaddr_storage sender{};
      socklen_t size = sizeof sender;
      auto* from = reinterpret_cast<sockaddr*>(&sender);
      if (::recvfrom(listener.fd, &byte, 1, 0, from, &size) >= 0) {
        ::sendto(listener.fd, "host\n", 5, 0, from, size);
        continue;
      }
      const int connection = ::accept(listener.fd, nullptr, nullptr);  // a stream: ENOTCONN above
      if (connection < 0) continue;
      (void)!::recv(connection, &byte, 1, 0);
      (void)!::send(connection, "host\n", 5, MSG_NOSIGNAL);
      ::close(connection);
    }
  }
}

}  // namespace isoenv::test
