// What services did that fails a test, whatever its own assertions saw.
//
// The environment and the backend add to the record; a test's session takes what happened to the
// services that it uses while it ran, and `down` what no test has taken. Bounded: the oldest go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/exit_status.h"
#include "plan/plan.h"

namespace isoenv {

struct Incident {
  std::string service;
  std::string what;                 ///< `ended while it should have been up: killed by SIGSEGV`
  std::string when;                 ///< the local time, as in the merged log
  std::vector<std::string> report;  ///< the sanitizer's report, or its last lines
  std::filesystem::path log;        ///< its whole output; "" when there is none
  std::optional<ExitStatus> exit;   ///< how it ended, when that is the incident; is not sent
};

std::string to_json(const std::vector<Incident>& incidents);  ///< an array
std::vector<Incident> incidents_from_json(const std::string& text);
/// For people: a paragraph an incident.
std::string incidents_text(const std::vector<Incident>& incidents);

class Incidents {
 public:
  /// The plan outlives the record. Of services with `allow_failure` nothing is kept.
  explicit Incidents(const EnvironmentPlan& plan) : plan_(plan) {}

  /// Of one that is excused nothing is kept either, until it is not any more.
  void excuse(std::size_t service, bool excused);

  /// Returns its number. `when` and `service` are filled in. The last lines of a service that ends
  /// right after the report of a sanitizer are left out.
  std::uint64_t add(std::size_t service, Incident incident);
  /// Adds a line to the report of one that is still known.
  void extend(std::uint64_t number, const std::string& line);

  /// The number that the next one gets.
  std::uint64_t next() const noexcept { return next_; }
  /// Those of the services from number `since` on: now a test knows of them.
  std::vector<Incident> take(const std::vector<std::size_t>& services, std::uint64_t since);
  /// Those of the services that nobody has taken yet.
  std::vector<Incident> take_untold(const std::vector<std::size_t>& services);

 private:
  struct Entry {
    std::size_t service = 0;
    bool told = false;
    bool reported = false;  // by a sanitizer
    Incident incident;
  };
  template <typename Wanted>
  std::vector<Incident> take_if(const std::vector<std::size_t>& services, Wanted wanted);

  const EnvironmentPlan& plan_;
  std::deque<Entry> entries_;  // the last one has the number next_ - 1
  std::uint64_t next_ = 1;
  std::set<std::size_t> excused_;
};

/// True when a service that was stopped may end so: with 0, by its stop signal (128 + n too, as
/// shells and Java say it), or as `expect_exit` tells.
bool is_proper_stop(const ServicePlan& service, const ExitStatus& status);
/// True when `expect_exit` tells that it may end so.
bool is_expected_exit(const ServicePlan& service, const ExitStatus& status);

}  // namespace isoenv
