// test_service BEHAVIOUR [ARGUMENT...] [then BEHAVIOUR [ARGUMENT...]]...
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>

#include "behaviours.h"

namespace isoenv::test {

void fail(const std::string& operation) { throw Failure(operation + ": " + std::strerror(errno)); }

std::string argument(const Arguments& arguments, std::size_t index) {
  if (index >= arguments.size())
    throw Failure("argument " + std::to_string(index + 1) + " is missing");
  return arguments[index];
}

std::string argument(const Arguments& arguments, std::size_t index, const std::string& otherwise) {
  return index < arguments.size() ? arguments[index] : otherwise;
}

namespace {

using Behaviour = void (*)(const Arguments&);

const std::map<std::string, Behaviour> kBehaviours = {
    {"attempts", attempts},
    {"becomes", becomes},
    {"copies_stdin", copies_stdin},
    {"counts", counts},
    {"crashes", crashes},
    {"creates_file", creates_file},
    {"executes", executes},
    {"exits", exits},
    {"exits_on", exits_on},
    {"fills_disk", fills_disk},
    {"forks", forks},
    {"forks_without_end", forks_without_end},
    {"http_get", http_get},
    {"http_hello", http_hello},
    {"ignores", ignores},
    {"leaves_daemon", leaves_daemon},
    {"listens_everywhere", listens_everywhere},
    {"notifies", notifies},
    {"offers", offers},
    {"removes", removes},
    {"resolves", resolves},
    {"shows_environment", shows_environment},
    {"signals_all", signals_all},
    {"tcp_ask", tcp_ask},
    {"tcp_echo", tcp_echo},
    {"tcp_never_reads", tcp_never_reads},
    {"tcp_stuffs", tcp_stuffs},
    {"threads", threads},
    {"udp_ask", udp_ask},
    {"udp_echo", udp_echo},
    {"unix_echo", unix_echo},
    {"waits", waits},
    {"waits_for", waits_for},
    {"withdraws", withdraws},
    {"writes", writes},
    {"writes_flat_out", writes_flat_out},
    {"writes_without_end", writes_without_end},
};

void behave(const Arguments& words) {
  const std::string name = argument(words, 0);
  const auto found = kBehaviours.find(name);
  if (found == kBehaviours.end()) throw Failure("no behaviour is called '" + name + "'");
  found->second({words.begin() + 1, words.end()});
}

}  // namespace
}  // namespace isoenv::test

int main(int argc, char** argv) {
  using namespace isoenv::test;
  try {
    Arguments words;
    for (int i = 1; i <= argc; ++i) {
      if (i < argc && std::strcmp(argv[i], "then") != 0) {
        words.emplace_back(argv[i]);
      } else {
        behave(words);
        words.clear();
      }
    }
    return EXIT_SUCCESS;
  } catch (const std::exception& failure) {
    std::cerr << "test_service: " << failure.what() << "\n";
    return EXIT_FAILURE;
  }
}
