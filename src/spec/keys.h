// The words of the spec's JSON, as the parser knows them: what the schema and the CMake keywords
// are held against. Each list is in the order of the documentation.
#pragma once

#include <string>
#include <vector>

namespace isoenv {

/// Top level: `version`, `environment`, …
const std::vector<std::string>& spec_keys();
/// Of one service, and of one task.
const std::vector<std::string>& service_keys();
const std::vector<std::string>& task_keys();
/// What a probe can be: `tcp`, `http`, …; exactly one stands in each object of `ready`.
const std::vector<std::string>& probe_kinds();
/// What may stand beside the kind: `path`, `status`, `body` for `http`.
const std::vector<std::string>& probe_options(const std::string& kind);

/// Values that are words: of `depends`, `env_mode`, and after the `/` of a port.
const std::vector<std::string>& need_words();
const std::vector<std::string>& env_mode_words();
const std::vector<std::string>& restart_words();
const std::vector<std::string>& protocol_words();

}  // namespace isoenv
