// shows_environment: one `key value` line for everything a sandbox decides for its process.
//
// pid, ppid, sid, uid, gid, hostname, cwd; `status NAME VALUE` from /proc/self/status; `fd N
// TARGET`; `process PID` of /proc; `interface NAME`, `address NAME ADDRESS`; `sysfs_interface
// NAME`; `route4 LINE` and `route6 LINE` but those of lo; `variable NAME=VALUE`.
#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iostream>
#include <set>

#include "behaviours.h"

extern char** environ;

namespace isoenv::test {
namespace {

std::set<std::string> names_in(const char* directory, int* own_fd = nullptr) {
  std::set<std::string> names;
  DIR* entries = ::opendir(directory);
  if (entries == nullptr) return names;
  if (own_fd != nullptr) *own_fd = ::dirfd(entries);
  while (const dirent* entry = ::readdir(entries)) {
    if (entry->d_name[0] != '.') names.insert(entry->d_name);
  }
  ::closedir(entries);
  return names;
}

void show_descriptors() {
  int own_fd = -1;
  for (const std::string& number : names_in("/proc/self/fd", &own_fd)) {
    if (number == std::to_string(own_fd)) continue;
    std::array<char, 4096> target{};
    if (::readlink(("/proc/self/fd/" + number).c_str(), target.data(), target.size() - 1) < 0)
      continue;
    std::cout << "fd " << number << " " << target.data() << "\n";
  }
}

void show_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) fail("getifaddrs");
  std::set<std::string> lines;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const std::string name = entry->ifa_name;
    lines.insert("interface " + name);
    if (entry->ifa_addr == nullptr) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (entry->ifa_addr->sa_family == AF_INET) {
      ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(entry->ifa_addr)->sin_addr, text.data(),
                  text.size());
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(entry->ifa_addr)->sin6_addr,
                  text.data(), text.size());
    } else {
      continue;
    }
    lines.insert("address " + name + " " + text.data());
  }
  ::freeifaddrs(list);
  for (const std::string& line : lines) std::cout << line << "\n";
}

void show_routes() {
  std::string line;
  std::ifstream ipv4("/proc/self/net/route");
  std::getline(ipv4, line);  // the heading
  while (std::getline(ipv4, line)) std::cout << "route4 " << line << "\n";
  std::ifstream ipv6("/proc/self/net/ipv6_route");
  while (std::getline(ipv6, line)) {
    if (!line.ends_with(" lo")) std::cout << "route6 " << line << "\n";
  }
}

void show_status() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    std::cout << "status " << line.substr(0, colon) << " "
              << (value == std::string::npos ? "" : line.substr(value)) << "\n";
  }
}

}  // namespace

void shows_environment(const Arguments&) {
  std::array<char, 4096> text{};
  ::gethostname(text.data(), text.size() - 1);
  std::cout << "hostname " << text.data() << "\n";
  if (::getcwd(text.data(), text.size()) != nullptr) std::cout << "cwd " << text.data() << "\n";
  std::cout << "pid " << ::getpid() << "\nppid " << ::getppid() << "\nsid " << ::getsid(0)
            << "\nuid " << ::getuid() << "\ngid " << ::getgid() << "\n";
  show_descriptors();
  show_status();
  for (const std::string& name : names_in("/proc")) {
    if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      std::cout << "process " << name << "\n";
    }
  }
  show_interfaces();
  for (const std::string& name : names_in("/sys/class/net")) {
    std::cout << "sysfs_interface " << name << "\n";
  }
  show_routes();
  for (char** entry = environ; *entry != nullptr; ++entry)
    std::cout << "variable " << *entry << "\n";
  std::cout << std::flush;
}

}  // namespace isoenv::test
