#include "netns/port_holder.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string_view>

#include "netns/socket_diag.h"

namespace isoenv {
namespace {

constexpr std::size_t kLongestCommand = 120;
constexpr std::string_view kInstance = "ISOENV_INSTANCE=";

std::string read_process_file(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void for_each_number(const std::string& directory, const std::function<bool(const char*)>& visit) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  if (!entries) return;
  while (const dirent* entry = ::readdir(entries.get())) {
    const bool number = entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
    if (number && !visit(entry->d_name)) return;
  }
}

/// Calls `visit` with the inode of each socket that the process has open, until it answers false.
void for_each_socket(pid_t pid, const std::function<bool(std::uint64_t)>& visit) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
  for_each_number(directory, [&](const char* name) {
    std::array<char, 64> target{};
    const std::string path = directory + "/" + name;
    constexpr std::string_view kSocket = "socket:[";
    if (::readlink(path.c_str(), target.data(), target.size() - 1) < 0) return true;
    if (!std::string_view(target.data()).starts_with(kSocket)) return true;
    return visit(std::strtoull(target.data() + kSocket.size(), nullptr, 10));
  });
}

}  // namespace

std::set<std::uint64_t> open_sockets(const std::vector<pid_t>& processes) {
  std::set<std::uint64_t> inodes;
  for (const pid_t pid : processes) {
    for_each_socket(pid, [&](std::uint64_t inode) {
      inodes.insert(inode);
      return true;
    });
  }
  return inodes;
}

std::string describe(const PortHolder& holder) {
  if (holder.pid == 0) return "an unknown process of user " + std::to_string(holder.user);
  return "process " + std::to_string(holder.pid) +
         (holder.command.empty() ? "" : " (" + holder.command + ")");
}

PortHolder holder_of(pid_t pid) {
  PortHolder holder;
  holder.pid = pid;
  struct stat status {};
  if (::stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0) holder.user = status.st_uid;
  holder.command = read_process_file(pid, "cmdline");
  while (!holder.command.empty() && holder.command.back() == '\0') holder.command.pop_back();
  // One line, whatever its arguments hold.
  std::replace_if(
      holder.command.begin(), holder.command.end(),
      [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f; }, ' ');
  if (holder.command.size() > kLongestCommand) {
    holder.command.resize(kLongestCommand);
    holder.command += "…";
  }
  const std::string environment = '\0' + read_process_file(pid, "environ");
  const std::size_t found = environment.find('\0' + std::string(kInstance));
  if (found != std::string::npos) {
    holder.instance = environment.c_str() + found + 1 + kInstance.size();
  }
  return holder;
}

PortHolder find_socket_holder(std::uint64_t inode, uid_t user) {
  PortHolder holder;
  holder.user = user;
  if (inode == 0) return holder;
  for_each_number("/proc", [&](const char* name) {
    const auto pid = static_cast<pid_t>(std::strtol(name, nullptr, 10));
    for_each_socket(pid, [&](std::uint64_t candidate) {
      if (candidate == inode) holder = holder_of(pid);
      return candidate != inode;
    });
    return holder.pid == 0;
  });
  return holder;
}

std::optional<PortHolder> find_port_holder(Protocol protocol, std::uint16_t port) {
  SocketDiag diag;
  std::optional<PortHolder> holder;
  for (const BoundSocket& socket : diag.sockets_on(protocol, port)) {
    if (holder && holder->pid != 0) break;
    holder = find_socket_holder(socket.owner.inode, socket.owner.user);
  }
  return holder;
}

}  // namespace isoenv
