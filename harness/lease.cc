#include "harness/lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace isoenv {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestLease = std::size_t{1} << 20U;
constexpr int kDeepestNesting = 4;

struct NotALease {};

constexpr std::array<std::pair<Owner::Kind, std::string_view>, 4> kOwnerKinds{{
    {Owner::Kind::kNone, "none"},
    {Owner::Kind::kCtest, "ctest"},
    {Owner::Kind::kTerminal, "terminal"},
    {Owner::Kind::kExplicit, "explicit"},
}};

Json to_json(const ProcessId& process) {
  return {{"pid", process.pid}, {"start_time", process.start_time}};
}

Json to_json(const std::optional<ProcessId>& process) {
  return process ? to_json(*process) : Json(nullptr);
}

Json to_json(const Owner& owner) {
  Json json = to_json(owner.process);
  for (const auto& [kind, name] : kOwnerKinds) {
    if (kind == owner.kind) json["kind"] = name;
  }
  json["name"] = owner.name;
  return json;
}

Json to_json(const Lease& lease) {
  return {{"isoenv", lease.version},
          {"environment", lease.environment},
          {"spec_file", lease.key.spec_file.native()},
          {"spec_digest", lease.spec_digest},
          {"name", lease.key.name},
          {"ctest", to_json(lease.key.ctest)},
          {"run", to_json(lease.key.run)},
          {"artefact_directory", lease.artefact_directory.native()},
          {"keeper", to_json(lease.keeper)},
          {"owner", to_json(lease.owner)},
          {"rung", lease.rung},
          {"refusal", lease.refusal}};
}

/// A whole number that fits: get() alone would convert or wrap round any other.
template <typename Number>
Number number_from(const Json& json) {
  const bool whole =
      std::is_signed_v<Number> ? json.is_number_integer() : json.is_number_unsigned();
  if (!whole) throw NotALease();
  const Number number = json.get<Number>();
  if (Json(number) != json) throw NotALease();
  return number;
}

ProcessId process_from(const Json& json) {
  return {number_from<pid_t>(json.at("pid")), number_from<std::uint64_t>(json.at("start_time"))};
}

std::optional<ProcessId> optional_process_from(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return process_from(json);
}

Owner owner_from(const Json& json) {
  Owner owner{Owner::Kind::kNone, process_from(json), json.at("name").get<std::string>()};
  const auto kind = json.at("kind").get<std::string>();
  const auto* known = std::find_if(kOwnerKinds.begin(), kOwnerKinds.end(),
                                   [&](const auto& entry) { return entry.second == kind; });
  if (known == kOwnerKinds.end()) throw NotALease();
  owner.kind = known->first;
  return owner;
}

/// Throws NotALease or nlohmann's exceptions when something is missing or of another type.
Lease lease_from(const Json& json) {
  Lease lease;
  lease.version = json.at("isoenv").get<std::string>();
  lease.environment = json.at("environment").get<std::string>();
  lease.key.spec_file = json.at("spec_file").get<std::string>();
  lease.spec_digest = json.value("spec_digest", "");
  lease.key.name = json.at("name").get<std::string>();
  lease.key.ctest = optional_process_from(json.at("ctest"));
  lease.key.run = optional_process_from(json.at("run"));
  lease.artefact_directory = json.at("artefact_directory").get<std::string>();
  lease.keeper = process_from(json.at("keeper"));
  lease.owner = owner_from(json.at("owner"));
  lease.rung = json.value("rung", "");
  lease.refusal = json.value("refusal", "");
  return lease;
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while (text.size() <= kLongestLease && (size = ::read(file, buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

void write_all(int file, std::string_view text, const std::filesystem::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_errno("write the lease", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string lease_text(const Lease& lease) {
  // A path may hold bytes that are no UTF-8; the directory's name, not the path, is the identity.
  return to_json(lease).dump(2, ' ', false, Json::error_handler_t::replace);
}

std::optional<Lease> parse_lease(std::string_view text) {
  if (text.size() > kLongestLease) return std::nullopt;
  const auto not_too_deep = [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDeepestNesting) throw NotALease();
    return true;
  };
  try {
    return lease_from(Json::parse(text, not_too_deep));
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const NotALease&) {
    return std::nullopt;
  }
}

UniqueFd write_lease(const RunDirectory& directory, const Lease& lease) {
  // Locked before it gets its name: nobody ever sees a living keeper's lease unlocked.
  const std::filesystem::path draft = directory.path() / "lease.new";
  constexpr int kFlags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd file(::open(draft.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!file) throw_errno("write the lease", draft);
  if (::flock(*file, LOCK_EX | LOCK_NB) != 0) throw_errno("lock the lease", draft);
  write_all(*file, lease_text(lease) + "\n", draft);
  if (::rename(draft.c_str(), directory.lease_file().c_str()) != 0) {
    throw_errno("write the lease", directory.lease_file());
  }
  return file;
}

UniqueFd open_lease(const RunDirectory& directory) {
  // Not to be written by others: a file of ours, no link.
  UniqueFd file(
      ::open(directory.lease_file().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return {};
  struct stat status = {};
  const bool ours =
      ::fstat(*file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
  return ours ? std::move(file) : UniqueFd();
}

std::optional<Lease> read_lease(const RunDirectory& directory) {
  const UniqueFd file = open_lease(directory);
  if (!file) return std::nullopt;
  return parse_lease(read_all(*file));
}

bool keeper_alive(const RunDirectory& directory) {
  const UniqueFd file = open_lease(directory);
  return file && ::flock(*file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

void wait_for_keeper_end(const UniqueFd& lease) {
  if (!lease) return;
  while (::flock(*lease, LOCK_SH) != 0 && errno == EINTR) continue;
}

void remove_if_dead(const RunDirectory& directory) {
  if (::access(directory.path().c_str(), F_OK) != 0) return;
  StartLock lock = StartLock::take(directory);
  if (!keeper_alive(directory)) (void)remove_run_directory(std::move(lock));
}

}  // namespace isoenv
