// A service with real defects, built with AddressSanitizer and UndefinedBehaviorSanitizer:
// `leaky_service [overflow]` says `ready`, then waits for SIGTERM and ends in order, having leaked.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace {

char* volatile kept = nullptr;

void leak(char* text) {
  kept = text;
  kept = nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  if (argc > 1 && std::strcmp(argv[1], "overflow") == 0) {
    volatile int number = std::numeric_limits<int>::max();
    number = number + argc;
  } else {
    leak(static_cast<char*>(std::malloc(42)));
  }
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&end, &signal);
  return 0;
}
