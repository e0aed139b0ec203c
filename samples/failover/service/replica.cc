#include "replica.h"

#include <algorithm>
#include <iostream>
#include <sstream>
#include <utility>

namespace failover {

std::string Replica::answer(const std::string& line) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  const std::lock_guard lock(mutex_);
  if (verb == "ROLE") return role();
  if (verb == "GET") {
    std::string key;
    words >> key;
    const auto found = values_.find(key);
    return found == values_.end() ? "NONE" : "VALUE " + found->second;
  }
  std::uint64_t term = 0;
  std::string name;
  std::uint64_t number = 0;
  if (!(words >> term >> name >> number)) return "WHAT";
  if (verb == "VOTE") {
    const bool yes = term > term_ && term > stood_for_ && number >= number_;
    stood_for_ = std::max(stood_for_, term);
    if (yes) heard_ = true;
    return (yes ? "YES " : "NO ") + std::to_string(term_);
  }
  if (verb != "BEAT") return "WHAT";
  if (term >= term_) {
    if (term > term_ || leader_ != name) follow(term, name);
    heard_ = true;
    number_ = number;
    values_.clear();
    for (std::string key, value; words >> key >> value;) values_[key] = value;
  }
  return "HAVE " + std::to_string(term_) + " " + std::to_string(number_);
}

bool Replica::is_leader() const {
  const std::lock_guard lock(mutex_);
  return leader_ == name_;
}

std::optional<std::string> Replica::beat() const {
  const std::lock_guard lock(mutex_);
  if (leader_ != name_) return std::nullopt;
  std::string line = "BEAT " + std::to_string(term_) + " " + name_ + " " + std::to_string(number_);
  for (const auto& [key, value] : values_) line += " " + key + " " + value;
  return line;
}

std::uint64_t Replica::take_confirmation(const std::string& answer) {
  std::istringstream words(answer);
  std::string verb;
  std::uint64_t term = 0;
  std::uint64_t number = 0;
  if (!(words >> verb >> term >> number) || verb != "HAVE") return 0;
  const std::lock_guard lock(mutex_);
  if (term > term_) {
    follow(term, "");
    return 0;
  }
  return number;
}

std::optional<std::uint64_t> Replica::put(const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  if (leader_ != name_) return std::nullopt;
  values_[key] = value;
  return ++number_;
}

bool Replica::was_forgotten() {
  const std::lock_guard lock(mutex_);
  return !std::exchange(heard_, false) && leader_ != name_;
}

std::string Replica::stand_for_election() {
  const std::lock_guard lock(mutex_);
  stood_for_ = std::max(term_, stood_for_) + 1;
  return "VOTE " + std::to_string(stood_for_) + " " + name_ + " " + std::to_string(number_);
}

void Replica::take_votes(const std::string& request, unsigned yes) {
  std::istringstream words(request);
  std::string verb;
  std::uint64_t term = 0;
  words >> verb >> term;
  const std::lock_guard lock(mutex_);
  if (!is_majority(yes) || term <= term_ || term < stood_for_) return;
  term_ = term;
  leader_ = name_;
  std::cout << "leads term " << term_ << std::endl;
}

std::string Replica::role() const {
  const std::string term = std::to_string(term_);
  if (leader_ == name_) return "leader " + term;
  return "follower " + term + " " + (leader_.empty() ? "nobody" : leader_);
}

void Replica::follow(std::uint64_t term, const std::string& leader) {
  const bool has_led = leader_ == name_;
  term_ = term;
  leader_ = leader;
  if (has_led) std::cout << "leads no more" << std::endl;
  if (!leader.empty()) std::cout << "follows " << leader << " in term " << term << std::endl;
}

}  // namespace failover
