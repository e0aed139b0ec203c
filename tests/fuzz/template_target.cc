// The template renderer. A text, then, each behind a 0x1e byte, the lines of {{line.N}}.
//
// A template's value must never be searched for templates: a text renders to the concatenation of
// what its pieces render to, and a line to itself, whatever it holds.
#include "fuzz.h"
#include "plan/addressing.h"
#include "plan/render.h"

namespace isoenv::fuzz {
namespace {

struct Rendering {
  std::string text;
  bool failed = false;
};

class Case {
 public:
  explicit Case(std::vector<std::string> lines) {
    ServiceSpec user;
    user.name = "user";
    user.ports = {{"http", 3000, Protocol::kTcp}, {"stats", 0, Protocol::kUdp}};
    ServiceSpec order;
    order.name = "or-der";
    spec_.services = {user, order};
    spec_.lines = std::move(lines);
    options_.artefact_directory = "/art";
    options_.temporary_directory = "/tmp";
    ports_ = assign_ports(spec_, options_, faults_);
  }

  Rendering render(std::string_view text, std::size_t self) {
    faults_.clear();
    Renderer renderer(spec_, ports_, options_, faults_);
    Rendering rendering{renderer.render(std::string(text), self, "a.b[0]"), !faults_.empty()};
    for (const Diagnostic& fault : faults_) {
      require(fault.where == "a.b[0]", "a fault stands where the text stands");
      require(!fault.what.empty() && !has_control_character(fault.what + fault.hint),
              "a fault is one line of text");
    }
    return rendering;
  }

  const std::vector<std::string>& lines() const { return spec_.lines; }

 private:
  EnvironmentSpec spec_;
  PlanOptions options_;
  std::vector<Diagnostic> faults_;
  std::vector<std::vector<PortPlan>> ports_;
};

/// The next piece of `rest`: plain text, `{{{{`, or one template.
std::string_view take_piece(std::string_view& rest) {
  std::size_t end = rest.find("{{");
  if (end == 0) {
    if (rest.starts_with("{{{{")) {
      end = 4;
    } else {
      const std::size_t close = rest.find("}}", 2);
      end = close == std::string_view::npos ? rest.size() : close + 2;
    }
  }
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(piece.size());
  return piece;
}

}  // namespace
}  // namespace isoenv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace isoenv::fuzz;
  std::string_view rest = text_of(data, size);
  const std::string_view text = take_part(rest, '\x1e');
  std::vector<std::string> lines;
  while (!rest.empty()) lines.emplace_back(take_part(rest, '\x1e'));
  Case rendered(std::move(lines));

  for (const std::size_t self : {0U, 1U}) {
    const Rendering whole = rendered.render(text, self);
    std::string pieces;
    bool failed = false;
    std::string_view left = text;
    while (!left.empty()) {
      const std::string_view piece = take_piece(left);
      const Rendering part = rendered.render(piece, self);
      pieces += part.text;
      failed = failed || part.failed;
      if (piece == "{{{{") require(part.text == "{{", "four braces stand for two");
      if (!piece.starts_with("{{")) require(part.text == piece, "plain text stays as it is");
    }
    require(failed == whole.failed, "a text fails when a piece of it fails");
    if (!failed) require(pieces == whole.text, "a text is the sum of its pieces, rendered once");
  }
  for (std::size_t i = 0; i < rendered.lines().size(); ++i) {
    const Rendering line = rendered.render("{{line." + std::to_string(i + 1) + "}}", 0);
    require(!line.failed && line.text == rendered.lines()[i], "a line is taken as it is");
  }
  return 0;
}
