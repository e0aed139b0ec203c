// Templates: `{{self.port}}`, `{{user.url.http}}`, `{{line.3}}` inside a text → their values.
//
// A value is put in once and never looked at again. `{{{{` stands for `{{`. What cannot be resolved
// is a fault that names the nearest right template.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"
#include "spec/diagnostic.h"
#include "spec/spec.h"

namespace isoenv {

class Renderer {
 public:
  /// All references must outlive the renderer. `ports` are those of EnvironmentSpec::services.
  Renderer(const EnvironmentSpec& spec, const std::vector<std::vector<PortPlan>>& ports,
           const PlanOptions& options, std::vector<Diagnostic>& faults);

  /// The text as service `self` sees it, at most kLongestText bytes. `where` is the text's path in
  /// the spec, for faults.
  std::string render(const std::string& text, std::size_t self, const std::string& where);

  /// The scratch folders that rendered texts name.
  const std::set<std::filesystem::path>& scratch_directories() const noexcept {
    return scratch_directories_;
  }

 private:
  /// One `{{…}}`: its words, and where to complain.
  struct Template {
    std::string_view text;  ///< without the braces
    std::vector<std::string_view> words;
    std::size_t self;
    const std::string& where;
  };

  std::string resolve(const Template& piece);
  std::string resolve_line(const Template& piece);
  std::string resolve_service(const Template& piece, std::size_t service);
  std::string resolve_port(const Template& piece, std::size_t service);
  void fault(const Template& piece, const std::string& what, const std::string& hint);
  /// `did you mean '{{user.host}}'?`: the template with word `index` replaced by the nearest of
  /// `words`, or the words themselves.
  std::string correction(const Template& piece, std::size_t index,
                         const std::vector<std::string>& words) const;

  const EnvironmentSpec& spec_;
  const std::vector<std::vector<PortPlan>>& ports_;
  const PlanOptions& options_;
  std::vector<Diagnostic>& faults_;
  std::set<std::filesystem::path> scratch_directories_;
  std::unordered_map<std::string_view, std::size_t> services_;
};

}  // namespace isoenv
