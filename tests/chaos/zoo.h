// The services of the chaos rounds: each misbehaves in a way of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace isoenv::test {

/// The members of a spec. As root `setuid` executes a copy of test_service, in `folder`, that
/// belongs to the user `uid` and has the set-user-ID bit; as an ordinary user it executes su(1).
/// `port`: of all, as JSON: a number, or "auto" where they share a loopback.
std::string zoo_spec(const std::filesystem::path& folder, unsigned uid, const std::string& port);

/// What `up` can be asked for.
const std::vector<std::string>& zoo_services();

}  // namespace isoenv::test
