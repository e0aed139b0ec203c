// How a program waits, multiplies and ends.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>

#include "behaviours.h"

namespace isoenv::test {
namespace {

volatile sig_atomic_t exit_code_on_signal = 0;
volatile sig_atomic_t signals_counted = 0;

void wait_for_ever() {
  while (true) ::pause();
}

void dump_no_core() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

}  // namespace

int signal_from_name(const std::string& name) {
  static const std::map<std::string, int> kNames = {
      {"SIGHUP", SIGHUP},   {"SIGINT", SIGINT},   {"SIGQUIT", SIGQUIT}, {"SIGKILL", SIGKILL},
      {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGTERM", SIGTERM}, {"SIGPIPE", SIGPIPE}};
  const auto found = kNames.find(name);
  if (found == kNames.end()) throw Failure("no signal is called '" + name + "'");
  return found->second;
}

void waits(const Arguments&) { wait_for_ever(); }

void waits_for(const Arguments& arguments) {
  const std::string path = argument(arguments, 0);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // returns when a writer is there
  if (fd < 0) fail("open " + path);
  char byte;
  if (::read(fd, &byte, 1) < 0) fail("read " + path);
  ::close(fd);
}

void exits(const Arguments& arguments) { std::exit(std::stoi(argument(arguments, 0))); }

void crashes(const Arguments& arguments) {
  dump_no_core();
  if (argument(arguments, 0) == "abort") std::abort();
  ::raise(SIGSEGV);
}

void ignores(const Arguments& arguments) {
  ::signal(signal_from_name(argument(arguments, 0)), SIG_IGN);
}

void removes(const Arguments& arguments) {
  if (std::remove(argument(arguments, 0).c_str()) != 0) fail("remove " + arguments[0]);
}

void becomes(const Arguments& arguments) {
  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(argument(arguments, 0).c_str(), argv.data());
  fail("execute " + arguments[0]);
}

void exits_on(const Arguments& arguments) {
  exit_code_on_signal = std::stoi(argument(arguments, 1));
  ::signal(signal_from_name(argument(arguments, 0)), [](int) { ::_exit(exit_code_on_signal); });
}

void counts(const Arguments& arguments) {
  // signal(2) of glibc restarts read(2) after the handler, so the line is not lost.
  ::signal(signal_from_name(argument(arguments, 0)), [](int) {
    signals_counted = signals_counted + 1;
    static_cast<void>(!::write(STDOUT_FILENO, "got\n", 4));
  });
  std::cout << "armed" << std::endl;
  std::string line;
  std::getline(std::cin, line);
  std::cout << "counted " << signals_counted << std::endl;
}

void leaves_daemon(const Arguments& arguments) {
  const std::string path = argument(arguments, 0);
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) fail("pipe2");
  const pid_t child = ::fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    ::setsid();
    ::signal(SIGTERM, SIG_IGN);
    ::signal(SIGHUP, SIG_IGN);
    ::close(::open(path.c_str(), O_WRONLY | O_CREAT, 0644));
    if (::write(ready[1], "", 1) != 1) ::_exit(1);
    wait_for_ever();
  }
  ::waitpid(child, nullptr, 0);
  char byte;
  if (::read(ready[0], &byte, 1) != 1) throw Failure("the daemon did not start");
  ::close(ready[0]);
  ::close(ready[1]);
}

void forks(const Arguments& arguments) {
  const int count = std::stoi(argument(arguments, 0));
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child < 0) fail("fork");
    if (child == 0) wait_for_ever();
  }
}

void signals_all(const Arguments& arguments) {
  // Outside a PID namespace this would reach everybody else's processes.
  std::ifstream name("/proc/1/comm");
  std::string first;
  if (!std::getline(name, first) || first != "isoenv-init") {
    throw Failure("signals_all only inside a PID namespace of isoenv's");
  }
  const int signal = signal_from_name(argument(arguments, 0));
  ::signal(signal, SIG_IGN);
  ::kill(-1, signal);
}

}  // namespace isoenv::test
