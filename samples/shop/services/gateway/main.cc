// gateway: see gateway.h. Settings come from the environment: PORT, USER_URL, ORDER_URL.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gateway.h"
#include "log.h"

namespace {

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    throw std::invalid_argument("PORT \"" + std::string(text) + "\" is not a port");
  }
  return port;
}

}  // namespace

int main() {
  try {
    const std::uint16_t port = parse_port(setting("PORT", "8080"));
    const auto user = shop::parse_upstream("user", setting("USER_URL", "http://user:3000"));
    const auto order = shop::parse_upstream("order", setting("ORDER_URL", "http://order:3000"));

    boost::asio::io_context io(1);
    shop::Gateway gateway(io, port, user, order);
    gateway.start();
    shop::log("info", "listening", {{"port", port}});

    boost::asio::signal_set signals(io, SIGTERM, SIGINT);
    signals.async_wait([&](const boost::system::error_code&, int signal) {
      shop::log("info", "stopping", {{"signal", signal}});
      gateway.stop();
    });
    io.run();
    shop::log("info", "stopped", nlohmann::ordered_json::object());
    return EXIT_SUCCESS;
  } catch (const std::exception& error) {
    shop::log("error", "cannot start", {{"error", error.what()}});
    return EXIT_FAILURE;
  }
}
