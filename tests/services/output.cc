// What a program tells: text, notifications, files.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "behaviours.h"

namespace isoenv::test {
namespace {

std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      plain += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'n':
        plain += '\n';
        break;
      case 'r':
        plain += '\r';
        break;
      case '0':
        plain += '\0';
        break;
      case 'x':
        plain += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
        break;
      default:
        plain += text[i];
    }
  }
  return plain;
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0) fail("write");
    data += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace

void writes(const Arguments& arguments) {
  const std::string to_stderr = "err:";
  for (const std::string& text : arguments) {
    const bool is_error = text.starts_with(to_stderr);
    const std::string plain = unescaped(is_error ? text.substr(to_stderr.size()) : text);
    write_all(is_error ? STDERR_FILENO : STDOUT_FILENO, plain.data(), plain.size());
  }
}

void writes_flat_out(const Arguments& arguments) {
  const char letter = argument(arguments, 0).at(0);
  const int lines = std::stoi(argument(arguments, 1));
  // Lines of 1 to 300 letters; pieces of 1 to 997 bytes, so that few pieces end with a line.
  std::string text;
  for (int i = 0; i < lines; ++i)
    text += std::string(static_cast<std::size_t>(1 + i * 7 % 300), letter) + "\n";
  std::size_t start = 0;
  for (std::size_t size = 1; start < text.size(); size = 1 + size * 31 % 997) {
    const std::size_t piece = std::min(size, text.size() - start);
    write_all(STDOUT_FILENO, text.data() + start, piece);
    start += piece;
  }
}

void writes_without_end(const Arguments& arguments) {
  const std::string text = unescaped(argument(arguments, 0));
  std::string block;
  while (block.size() < 65536) block += text;
  for (;;) write_all(STDOUT_FILENO, block.data(), block.size());
}

void copies_stdin(const Arguments&) {
  std::array<char, 65536> buffer;
  ssize_t size;
  while ((size = ::read(STDIN_FILENO, buffer.data(), buffer.size())) > 0) {
    write_all(STDOUT_FILENO, buffer.data(), static_cast<std::size_t>(size));
  }
}

void notifies(const Arguments& arguments) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) throw Failure("the variable 'NOTIFY_SOCKET' is not set");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) throw Failure("NOTIFY_SOCKET is too long");
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space of unix(7)
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const std::string text = unescaped(argument(arguments, 0));
  if (::sendto(fd, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
               size) < 0) {
    fail("send to NOTIFY_SOCKET");
  }
  ::close(fd);
}

void creates_file(const Arguments& arguments) {
  const std::string path = argument(arguments, 0);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) fail("create " + path);
  ::close(fd);
}

}  // namespace isoenv::test
