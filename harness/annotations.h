// What CI systems show of a failed test beside its output: an error on the page of the run, and a
// part of the log that can be folded.
#pragma once

#include <ctime>
#include <string>

namespace isoenv {

enum class CiSystem { kNone, kGitHub, kGitLab };

/// By GITHUB_ACTIONS and GITLAB_CI.
CiSystem ci_system();

/// `text` under a headline, in the form of the system; "" for none. Bytes that would command the
/// log's reader are made harmless.
std::string folded(CiSystem system, const std::string& headline, const std::string& text,
                   std::time_t now);

/// An error of one line; "" for systems that have no such thing.
std::string error_mark(CiSystem system, const std::string& title, const std::string& text);

}  // namespace isoenv
