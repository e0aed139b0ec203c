// Keeps secrets out of text: wherever a secret stands, `***` does instead.
//
// Linear in the text, whatever the secrets are: one automaton finds them all (Aho and Corasick,
// 1975), and costs a table look-up a byte. A stream holds back only those last bytes that may be
// the beginning of a secret. No secret holds a newline, so nothing is ever held back across one. A
// secret in another form (encoded, taken to pieces by its writer) is not found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace isoenv {

/// The secrets of one environment; shared by all streams.
class Secrets {
 public:
  /// Shorter ones would mask ordinary text.
  static constexpr std::size_t kShortest = 4;

  /// What is to be masked of a value: each of its lines without blanks at the ends, as far as it
  /// has kShortest bytes. Empty when there is no such line.
  static std::vector<std::string> pieces(std::string_view value);

  Secrets() = default;
  explicit Secrets(const std::vector<std::string>& values);

  bool empty() const noexcept { return nodes_.size() <= 1; }

  /// A text that is whole.
  std::string redact(std::string_view text) const;
  /// A text that was cut at its end: kShortest bytes there that begin a secret are masked as well.
  std::string redact_cut(std::string_view text) const;

 private:
  friend class Redactor;
  using State = std::uint32_t;  // a node: the longest beginning of a secret that was just read

  struct Node {
    State fallback = 0;  // the next shorter beginning that the same bytes end with
    std::uint32_t first_edge = 0;
    std::uint32_t depth = 0;  // bytes of it
    std::uint32_t match = 0;  // the longest secret that ends here; 0: none
    std::uint32_t open = 0;   // the last bytes that may go on to a (longer) secret
  };
  struct Edge {
    State target = 0;
    std::uint32_t next = 0;  // of the same node; 0: none
    unsigned char byte = 0;
  };

  void add(std::string_view secret);
  void link();
  State child(State state, unsigned char byte) const noexcept;
  State step(State state, unsigned char byte) const noexcept;

  std::vector<Node> nodes_{Node{}};
  std::vector<Edge> edges_{Edge{}};
  std::array<State, 256> root_{};
};

/// One stream.
class Redactor {
 public:
  /// Without secrets, or with none in it, text passes as it is and nothing is copied.
  explicit Redactor(std::shared_ptr<const Secrets> secrets = {});

  /// What can be passed on now. Valid until the next call, and as long as `chunk`.
  std::string_view feed(std::string_view chunk);
  /// The end of the stream: what was held back.
  std::string_view finish();

 private:
  friend class Secrets;
  /// Of the bytes held back and those after them, [begin, end) belongs to secrets.
  struct Span {
    std::size_t begin;
    std::size_t end;
  };

  void cover(std::size_t begin, std::size_t end);
  void pass_on(std::string_view chunk, std::size_t end);
  void copy(std::string_view chunk, std::size_t begin, std::size_t end);

  std::shared_ptr<const Secrets> secrets_;
  Secrets::State state_ = 0;
  std::string held_;
  std::vector<Span> spans_;
  bool masking_ = false;  // what was passed on last is a mask, which the next span continues
  std::string passed_;
};

}  // namespace isoenv
