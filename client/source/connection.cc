#include "source/connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "isoenv/error.h"
#include "source/descriptor.h"

namespace isoenv::inline client {
namespace {

/// Of the keeper's own bounds, which it keeps.
constexpr std::size_t kLongestAnswer = std::size_t{8} << 20U;

/// Empty, with errno, when nobody listens there.
Descriptor try_connect(const std::filesystem::path& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return Descriptor();
  }
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return socket;
  while (::connect(*socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno != EINTR) return Descriptor();
  }
  return socket;
}

Descriptor connect_to(const std::filesystem::path& path, const std::string& title) {
  Descriptor socket = try_connect(path);
  if (socket) return socket;
  if (errno == ENOENT || errno == ECONNREFUSED) throw EnvironmentError(title + " has ended");
  throw EnvironmentError("cannot reach the keeper of " + title + " at '" + path.string() +
                         "': " + std::strerror(errno));
}

void send_line(int socket, const std::string& line) {
  std::size_t sent = 0;
  while (sent < line.size()) {
    const ssize_t length = ::send(socket, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return;  // why it hung up may be there to be read
    sent += static_cast<std::size_t>(length);
  }
}

/// What came before the end of the line or of the connection.
std::string receive_line(int socket) {
  std::string line;
  char chunk[16 * 1024];
  while (line.size() <= kLongestAnswer) {
    const ssize_t length = ::recv(socket, chunk, sizeof chunk, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    line.append(chunk, static_cast<std::size_t>(length));
    if (line.back() == '\n') break;
  }
  return line;
}

[[noreturn]] void refuse(const Json& error) {
  std::string message = error.at("message");
  for (const Json& frame : error.at("frames")) message += "\n  " + frame.get<std::string>();
  throw EnvironmentError(message, error.at("hint"));
}

}  // namespace

Channel::Channel(Descriptor socket, std::string title)
    : socket_(std::move(socket)), title_(std::move(title)) {}

Json Channel::ask(const Json& request) {
  send_line(*socket_, request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  const std::string line = receive_line(*socket_);
  if (line.empty() || line.back() != '\n') {
    throw EnvironmentError(title_ + " ended before it answered");
  }
  try {
    Json answer = Json::parse(line);
    if (answer.contains("error")) refuse(answer.at("error"));
    if (answer.at("ending").get<bool>() && !answer.contains("report")) {
      throw EnvironmentError(title_ + " is ending");
    }
    return answer;
  } catch (const Json::exception& error) {
    throw EnvironmentError("the answer of the keeper of " + title_ +
                           " makes no sense: " + error.what());
  }
}

Json Channel::ask_for_report(const Json& request) {
  const Json answer = ask(request);
  try {
    return Json::parse(answer.at("report").get<std::string>());
  } catch (const Json::exception& error) {
    throw EnvironmentError("the report of the keeper of " + title_ +
                           " makes no sense: " + error.what());
  }
}

Connection::Connection(std::filesystem::path socket, std::string title)
    : socket_(std::move(socket)), title_(std::move(title)) {}

Channel Connection::open() const { return {connect_to(socket_, title_), title_}; }

void Connection::take_down() const {
  const Descriptor socket = try_connect(socket_);
  if (!socket) return;
  send_line(*socket, Json{{"request", "down"}, {"services", Json::array()}}.dump() + "\n");
  // The connection ends with the keeper.
  while (!receive_line(*socket).empty()) {
  }
}

pid_t Connection::keeper_pid() const {
  const Descriptor socket = connect_to(socket_, title_);
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(*socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return 0;
  return peer.pid;
}

bool Connection::is_alive() const noexcept { return static_cast<bool>(try_connect(socket_)); }

}  // namespace isoenv::inline client
