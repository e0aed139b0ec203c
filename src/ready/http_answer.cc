#include "ready/http_answer.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/none.hpp>
#include <cstdint>
#include <utility>

namespace isoenv {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint64_t kMaxBody = 1024 * 1024;
constexpr std::uint32_t kMaxHeader = 64 * 1024;
constexpr std::string_view kBeginning = "HTTP/1.";

std::string describe(const error_code& error) {
  if (error == http::error::end_of_stream) return "the connection was closed without an answer";
  if (error == http::error::partial_message) return "the connection was closed in mid-answer";
  if (error == http::error::header_limit) return "the header of the answer is larger than 64 KiB";
  if (error == http::error::body_limit || error == http::error::buffer_overflow) {
    return "the answer is larger than 1 MiB";
  }
  return "the answer is not HTTP: " + error.message();
}

}  // namespace

struct HttpAnswer::State {
  State(std::string request_, int status_, const Pattern* body_)
      : request(std::move(request_)), status(status_), body(body_) {
    parser.header_limit(kMaxHeader);
    if (body != nullptr) {
      parser.body_limit(kMaxBody);
    } else {
      parser.body_limit(boost::none);  // it is not read
    }
  }

  void judge(bool verdict, std::string text) {
    judged = true;
    passed = verdict;
    sentence = std::move(text);
  }

  void fail(const error_code& error) { judge(false, so_far() + describe(error)); }

  std::string so_far() const { return answered.empty() ? request + ": " : answered + ", but "; }

  void judge_header() {
    const unsigned number = parser.get().result_int();
    answered = request + " answered " + std::to_string(number);
    const bool expected = status == 0 ? number / 100 == 2 : number == static_cast<unsigned>(status);
    if (!expected) {
      judge(false, answered + (status == 0 ? "" : ", expected " + std::to_string(status)));
    } else if (body == nullptr) {
      judge(true, answered);
    }
  }

  void judge_body() {
    const bool found = body->found_in(parser.get().body());
    judge(found,
          found ? answered : answered + ", but its body does not match /" + body->text() + "/");
  }

  std::string_view unread_text() const {
    return {static_cast<const char*>(unread.cdata().data()), unread.size()};
  }

  /// True once the whole header is there. The parser is not shown a part of it: what it says of a
  /// broken one depends on where the pieces end. What is no HTTP at all is told at once, though.
  bool has_header() {
    if (header_seen) return true;
    const std::string_view text = unread_text();
    const std::size_t compared = std::min(text.size(), kBeginning.size());
    if (text.substr(0, compared) != kBeginning.substr(0, compared)) {
      fail(http::make_error_code(http::error::bad_version));
      return false;
    }
    constexpr std::string_view kEnd = "\r\n\r\n";
    header_seen = text.find(kEnd, searched) != std::string_view::npos;
    searched = text.size() - std::min(text.size(), kEnd.size() - 1);
    if (!header_seen && text.size() > kMaxHeader) {
      fail(http::make_error_code(http::error::header_limit));
    }
    return header_seen;
  }

  /// Beast takes it for granted that what it is shown of chunks is no shorter than the shortest end
  /// of them (an assertion in basic_parser::parse_chunk_header, Boost 1.81).
  std::size_t least() const {
    constexpr std::string_view kShortestEnd = "0\r\n\r\n";
    return parser.is_header_done() && parser.chunked() ? kShortestEnd.size() : 1;
  }

  void parse() {
    while (!judged && unread.size() >= least()) {
      error_code error;
      // One step a call: the status is judged before anything of the body can be wrong.
      const std::size_t used = parser.put(unread.data(), error);
      unread.consume(used);
      if (error == http::error::need_more) return;
      if (error) {
        fail(error);
        return;
      }
      look();
      if (used == 0) return;
    }
  }

  void look() {
    if (!judged && answered.empty() && parser.is_header_done()) judge_header();
    if (!judged && parser.is_done()) judge_body();
  }

  std::string request;
  int status;
  const Pattern* body;
  http::response_parser<http::string_body> parser;
  boost::beast::flat_buffer unread{kMaxHeader + kMaxBody};
  std::size_t searched = 0;  // of unread, for the header's end
  bool header_seen = false;
  std::string answered;  // from the header on
  bool judged = false;
  bool passed = false;
  std::string sentence;
};

HttpAnswer::HttpAnswer(std::string request, int status, const Pattern* body)
    : state_(std::make_unique<State>(std::move(request), status, body)) {}

HttpAnswer::~HttpAnswer() = default;

void HttpAnswer::feed(std::string_view bytes) {
  State& state = *state_;
  if (state.judged || bytes.empty()) return;
  if (bytes.size() > state.unread.max_size() - state.unread.size()) {
    state.fail(http::make_error_code(http::error::buffer_overflow));
    return;
  }
  state.unread.commit(boost::asio::buffer_copy(state.unread.prepare(bytes.size()),
                                               boost::asio::buffer(bytes.data(), bytes.size())));
  if (state.has_header()) state.parse();
}

void HttpAnswer::finish() {
  State& state = *state_;
  if (state.judged) return;
  if (!state.header_seen) state.parse();
  if (state.judged) return;
  error_code error = http::make_error_code(http::error::end_of_stream);
  if (state.parser.got_some()) {
    error = {};
    state.parser.put_eof(error);
  }
  if (!error) {
    state.look();
    if (state.judged) return;
    error = http::make_error_code(http::error::partial_message);
  }
  state.fail(error);
}

bool HttpAnswer::judged() const noexcept { return state_->judged; }
bool HttpAnswer::passed() const noexcept { return state_->passed; }
const std::string& HttpAnswer::sentence() const noexcept { return state_->sentence; }
std::string HttpAnswer::sentence_so_far() const { return state_->so_far(); }

}  // namespace isoenv
