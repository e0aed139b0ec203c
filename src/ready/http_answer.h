// What a service's answer to an http probe says, byte by byte: no socket, no clock.
//
// Takes the answer as it arrives and tells when it is judged: by its status as soon as the header
// is there, by its body only when a pattern asks for it. Keeps at most 64 KiB of header and 1 MiB
// of body. Never throws on what a service sends.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ready/pattern.h"

namespace isoenv {

class HttpAnswer {
 public:
  /// `request` is for messages: `GET /health`. `status` 0 expects any 2xx; `body` null: not judged,
  /// otherwise it outlives the answer.
  HttpAnswer(std::string request, int status, const Pattern* body);
  ~HttpAnswer();
  HttpAnswer(const HttpAnswer&) = delete;
  HttpAnswer& operator=(const HttpAnswer&) = delete;

  /// The next bytes. Ignored once judged.
  void feed(std::string_view bytes);
  /// The service closed the connection.
  void finish();

  bool judged() const noexcept;
  bool passed() const noexcept;
  /// `GET /health answered 503`; "" until judged.
  const std::string& sentence() const noexcept;
  /// The beginning of a sentence about what became of it otherwise: `GET /health: `, or
  /// `GET /health answered 200, but `.
  std::string sentence_so_far() const;

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace isoenv
