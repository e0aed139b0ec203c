#include "log.h"

#include <chrono>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace shop {
namespace {

std::string utc_now() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  const std::time_t seconds = system_clock::to_time_t(now);
  const auto fraction = duration_cast<milliseconds>(now.time_since_epoch()) % 1s;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::ostringstream text;
  text << std::put_time(&utc, "%FT%T.") << std::setw(3) << std::setfill('0') << fraction.count()
       << 'Z';
  return text.str();
}

}  // namespace

void log(std::string_view level, std::string_view message, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json line{
      {"time", utc_now()}, {"service", "gateway"}, {"level", level}, {"message", message}};
  line.update(fields);
  // A request's target may be any bytes; dump() would throw on what is not UTF-8.
  std::cout << line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
            << std::endl;
}

}  // namespace shop
