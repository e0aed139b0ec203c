// One line over TCP, and one back: all that replicas and their clients say to each other.
//
// Every function gives up after the time it is told; "" is what a silent peer said.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace failover {

struct Address {
  std::string host;
  std::string port;
};

/// Connects, sends `line`, returns the answer; "" when nobody answers in time.
std::string ask(const Address& address, const std::string& line,
                std::chrono::milliseconds patience);

/// Answers one line after the other of every connection, each connection in a thread of its own.
/// Does not return; throws std::runtime_error when it cannot listen.
[[noreturn]] void serve(const std::string& port,
                        const std::function<std::string(const std::string&)>& answer);

}  // namespace failover
