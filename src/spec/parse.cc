#include "spec/parse.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/absolute_path.h"
#include "base/error.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "spec/field.h"
#include "spec/keys.h"
#include "spec/limits.h"
#include "spec/service_reader.h"

namespace isoenv {
namespace {

using Kind = JsonNode::Kind;

constexpr std::size_t kLargestFile = std::size_t{64} << 20;

/// Values a generator wrote one a line: nothing is trimmed, and no line is skipped.
std::vector<std::string> split_lines(const std::string& text, const std::string& where,
                                     Faults& faults) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    if (lines.back().find('\0') != std::string::npos) {
      faults.push_back(
          {where, "line " + std::to_string(lines.size()) + " of the file holds a NUL character",
           ""});
    }
    begin = end + 1;
  }
  return lines;
}

struct DocumentReading {
  EnvironmentSpec spec;
  const FileReader& read;
  const JsonNode& root;
  Faults& faults;
};

struct DocumentKey {
  const char* name;
  bool required;
  void (*read)(const Field&, DocumentReading&);
};

void read_version(const Field& field, DocumentReading& reading) {
  if (field.node.kind == Kind::kInteger && field.node.integer == 1) return;
  if (field.node.kind == Kind::kInteger) {
    reading.faults.push_back({field.where,
                              "version " + std::to_string(field.node.integer) + " is not known",
                              "this isoenv reads version 1"});
  } else {
    expected(field, "the number 1", reading.faults);
  }
}

void read_environment(const Field& field, DocumentReading& reading) {
  const auto name = read_text(field, reading.faults);
  if (!name) return;
  check_name(*name, "environment", field.where, reading.faults);
  reading.spec.name = *name;
}

void read_lines(const Field& field, DocumentReading& reading) {
  const auto name = read_text(field, reading.faults);
  if (!name) return;
  try {
    reading.spec.lines = split_lines(reading.read(reading.spec.file.parent_path() / *name),
                                     field.where, reading.faults);
  } catch (const Error& error) {
    reading.faults.push_back({field.where, error.what(), error.hint()});
  }
}

std::set<std::string, std::less<>> names_under(const JsonNode& root, std::string_view key) {
  std::set<std::string, std::less<>> names;
  if (const JsonNode* node = root.find(key)) {
    for (const JsonMember& member : node->members) names.insert(member.name);
  }
  return names;
}

void read_services(const Field& field, bool tasks, DocumentReading& reading) {
  if (!is_object(field, reading.faults)) return;
  const DeclaredNames declared{names_under(reading.root, "services"),
                               names_under(reading.root, "tasks")};
  for (const JsonMember& member : field.node.members) {
    const std::string where = key_path(field.where, member.name);
    if (tasks && declared.services.contains(member.name)) {
      reading.faults.push_back(
          {where, "there is a service named '" + member.name + "' too", "rename one of them"});
    }
    reading.spec.services.push_back(
        read_service(member.name, tasks, {member.value, where}, declared, reading.faults));
  }
}

constexpr DocumentKey kDocumentKeys[] = {
    {"$schema", false, [](const Field& field, DocumentReading& r) { read_text(field, r.faults); }},
    {"version", true, read_version},
    {"environment", true, read_environment},
    {"env", false,
     [](const Field& field, DocumentReading& r) { r.spec.env = read_env(field, r.faults); }},
    {"lines", false, read_lines},
    {"services", false,
     [](const Field& field, DocumentReading& r) { read_services(field, /*tasks=*/false, r); }},
    {"tasks", false,
     [](const Field& field, DocumentReading& r) { read_services(field, /*tasks=*/true, r); }},
};

void check_count(DocumentReading& reading) {
  const std::size_t count = reading.spec.services.size();
  if (count <= kMostServices) return;
  reading.faults.push_back({"", std::to_string(count) + " services and tasks in one environment",
                            "the most is " + std::to_string(kMostServices)});
}

}  // namespace

const std::vector<std::string>& spec_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> names;
    for (const DocumentKey& key : kDocumentKeys) names.emplace_back(key.name);
    return names;
  }();
  return keys;
}

std::string read_spec_file(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw SystemError(errno, "open", file.string(), ExitCode::kUsage);
  std::string text;
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t count = ::read(*fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw SystemError(errno, "read", file.string(), ExitCode::kUsage);
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
    if (text.size() > kLargestFile) {
      throw Error("'" + file.string() + "' is larger than 64 MiB", ExitCode::kUsage);
    }
  }
}

ParseResult parse_spec(std::string_view text, const std::filesystem::path& file,
                       const FileReader& read) {
  Faults faults;
  const std::optional<JsonNode> root = read_json(text, faults);
  if (!root) return faults;

  DocumentReading reading{{}, read, *root, faults};
  if (!file.empty()) reading.spec.file = absolute_path(file);
  if (!is_object({*root, ""}, faults)) return faults;
  for (const JsonMember& member : root->members) {
    if (std::find(spec_keys().begin(), spec_keys().end(), member.name) == spec_keys().end()) {
      faults.push_back(
          {key_path("", member.name), "unknown key", suggest(member.name, spec_keys())});
    }
  }
  // In this order, whatever the order in the file: services stand before tasks.
  for (const DocumentKey& key : kDocumentKeys) {
    if (const JsonNode* node = root->find(key.name)) {
      key.read({*node, key.name}, reading);
    } else if (key.required) {
      faults.push_back({"", "missing key '" + std::string(key.name) + "'",
                        std::string(key.name) == "version" ? "write \"version\": 1" : ""});
    }
  }
  check_count(reading);
  if (!faults.empty()) return faults;
  reading.spec.digest = short_hash(std::string(text) + '\0' + join(reading.spec.lines, "\n"));
  return std::move(reading.spec);
}

ParseResult parse_spec_file(const std::filesystem::path& file) {
  return parse_spec(read_spec_file(file), file);
}

}  // namespace isoenv
