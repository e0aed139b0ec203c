#include "plan/render.h"

#include <algorithm>

#include "base/text.h"
#include "plan/addressing.h"
#include "spec/limits.h"

namespace isoenv {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr const char* kLiteral = "write '{{{{' for a literal '{{'";

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t dot = text.find('.');
    words.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return words;
    text.remove_prefix(dot + 1);
  }
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// Could have been meant for us: words with dots between.
bool looks_like_template(std::string_view text) {
  return !text.empty() && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char letter) {
           return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                  (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' ||
                  letter == '.';
         });
}

std::string in_braces(std::string_view text) {
  return in_quotes(std::string(kOpen) + std::string(text) + std::string(kClose));
}

}  // namespace

Renderer::Renderer(const EnvironmentSpec& spec, const std::vector<std::vector<PortPlan>>& ports,
                   const PlanOptions& options, std::vector<Diagnostic>& faults)
    : spec_(spec), ports_(ports), options_(options), faults_(faults) {
  for (std::size_t i = 0; i < spec.services.size(); ++i) {
    services_.emplace(spec.services[i].name, i);
  }
}

std::string Renderer::render(const std::string& text, std::size_t self, const std::string& where) {
  std::string result;
  std::string_view rest = text;
  for (;;) {
    const std::size_t open = rest.find(kOpen);
    result += rest.substr(0, open);
    if (result.size() > kLongestText) {
      faults_.push_back({where, "the text is too long once rendered",
                         "the most is " + std::to_string(kLongestText) + " bytes"});
      return {};
    }
    if (open == std::string_view::npos) return result;
    rest.remove_prefix(open + kOpen.size());
    if (rest.starts_with(kOpen)) {
      result += kOpen;
      rest.remove_prefix(kOpen.size());
      continue;
    }
    const std::size_t close = rest.find(kClose);
    if (close == std::string_view::npos) {
      faults_.push_back({where, "'{{' is never closed with '}}'", kLiteral});
      return result;
    }
    const std::string_view inside = rest.substr(0, close);
    result += resolve({inside, split(inside), self, where});
    rest.remove_prefix(close + kClose.size());
  }
}

std::string Renderer::resolve(const Template& piece) {
  if (!looks_like_template(piece.text)) {
    const std::string_view meant = trimmed(piece.text);
    fault(piece, "is not a template",
          looks_like_template(meant) ? "write " + in_braces(meant) : kLiteral);
    return {};
  }
  const std::string_view head = piece.words.front();
  if (head == "line") return resolve_line(piece);
  if (head == "self") return resolve_service(piece, piece.self);
  const auto service = services_.find(head);
  if (service != services_.end()) return resolve_service(piece, service->second);

  std::vector<std::string> names = {"self", "line"};
  for (const ServiceSpec& candidate : spec_.services) names.push_back(candidate.name);
  std::string hint = correction(piece, 0, names);
  if (nearest_word(head, names).empty())
    hint += (hint.empty() ? "" : ", or ") + std::string(kLiteral);
  fault(piece, "names no service: " + in_quotes(head), hint);
  return {};
}

std::string Renderer::resolve_line(const Template& piece) {
  if (piece.words.size() == 2 && piece.words[1].size() <= 9 &&
      piece.words[1].find_first_not_of("0123456789") == std::string_view::npos &&
      !piece.words[1].empty()) {
    const std::size_t number = std::stoul(std::string(piece.words[1]));
    if (number >= 1 && number <= spec_.lines.size()) return spec_.lines[number - 1];
  }
  fault(piece, "names no line",
        spec_.lines.empty() ? "the spec has no 'lines', or its file is empty"
                            : "the lines are 1 to " + std::to_string(spec_.lines.size()));
  return {};
}

std::string Renderer::resolve_service(const Template& piece, std::size_t service) {
  const std::string& name = spec_.services[service].name;
  const bool is_self = piece.words.front() == "self";
  const std::string_view attribute = piece.words.size() > 1 ? piece.words[1] : "";
  if (attribute == "port" || attribute == "url") return resolve_port(piece, service);
  if (piece.words.size() == 2) {
    if (attribute == "host") return host_of(spec_.services[service], options_);
    if (is_self && attribute == "name") return name;
    if (attribute == "dir") {
      return scratch_directories_.insert(options_.artefact_directory / name).first->string();
    }
    if (is_self && attribute == "tmp") return (options_.temporary_directory / name).string();
  }
  std::vector<std::string> attributes = {"host", "dir", "port", "url"};
  if (is_self) attributes.insert(attributes.end(), {"name", "tmp"});
  const bool known = std::find(attributes.begin(), attributes.end(), attribute) != attributes.end();
  if (known) {
    fault(piece, "has a word too many",
          "write " + in_braces(join({std::string(piece.words[0]), std::string(attribute)}, ".")));
  } else {
    fault(piece, "asks for nothing that is known of " + in_quotes(piece.words.front()),
          correction(piece, 1, attributes));
  }
  return {};
}

std::string Renderer::resolve_port(const Template& piece, std::size_t service) {
  const std::string& name = spec_.services[service].name;
  const std::vector<PortPlan>& ports = ports_[service];
  const bool as_url = piece.words[1] == "url";
  if (ports.empty()) {
    fault(piece, "needs a port, and '" + name + "' has none", "declare it under 'ports'");
    return {};
  }
  const PortPlan* port = nullptr;
  if (piece.words.size() == 2) {
    port = as_url ? url_port(ports) : &ports.front();
  } else if (piece.words.size() == 3) {
    const auto found = std::find_if(ports.begin(), ports.end(), [&](const PortPlan& candidate) {
      return candidate.name == piece.words[2];
    });
    if (found != ports.end()) port = &*found;
    if (port == nullptr) {
      std::vector<std::string> names;
      for (const PortPlan& candidate : ports) names.push_back(candidate.name);
      fault(piece, "names no port of '" + name + "'", correction(piece, 2, names));
      return {};
    }
  } else {
    fault(piece, "has a word too many",
          "write " + in_braces(join({piece.words.begin(), piece.words.begin() + 3}, ".")));
    return {};
  }
  if (as_url && (port == nullptr || port->protocol == Protocol::kUdp)) {
    fault(piece, "needs a TCP port: a UDP port has no URL", "");
    return {};
  }
  return as_url ? url_of(host_of(spec_.services[service], options_), *port)
                : std::to_string(port->number);
}

void Renderer::fault(const Template& piece, const std::string& what, const std::string& hint) {
  faults_.push_back({piece.where, in_braces(piece.text) + " " + what, hint});
}

std::string Renderer::correction(const Template& piece, std::size_t index,
                                 const std::vector<std::string>& words) const {
  const std::string word(index < piece.words.size() ? piece.words[index] : "");
  const std::string nearest = nearest_word(word, words);
  if (nearest.empty()) return suggest(word, words);
  std::vector<std::string> corrected(piece.words.begin(), piece.words.end());
  corrected.resize(std::max(corrected.size(), index + 1));
  corrected[index] = nearest;
  return "did you mean " + in_braces(join(corrected, ".")) + "?";
}

}  // namespace isoenv
