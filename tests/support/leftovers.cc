#include "support/leftovers.h"

#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "base/unique_fd.h"

namespace isoenv::test {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();  // takes a process that has ended meanwhile (ESRCH) for an empty file
  return text.str();
}

void add_names(std::set<std::string>& facts, const std::string& what, const char* directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    facts.insert(what + " " + entry.path().filename().string());
  }
}

/// Each line of `file`, without the columns (from 0) that count traffic.
void add_lines(std::set<std::string>& facts, const std::string& what, const char* file,
               const std::set<int>& counters) {
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    std::istringstream words(line);
    std::string word;
    std::string fact = what;
    for (int column = 0; words >> word; ++column) {
      if (!counters.contains(column)) fact += " " + word;
    }
    facts.insert(fact);
  }
}

/// Others make and drop cgroups at any time: those that say whose they are.
void add_cgroups(std::set<std::string>& facts) {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry("/sys/fs/cgroup", error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string path = entry->path();
    if (path.find("isoenv") != std::string::npos) facts.insert("cgroup file " + path);
  }
}

/// Policy rules have no file under /proc: a dump by rtnetlink(7), compared as bytes.
void add_rules(std::set<std::string>& facts) {
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  struct {
    nlmsghdr header;
    fib_rule_hdr rule;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETRULE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (::send(*socket, &request, sizeof request, 0) < 0) return;
  alignas(nlmsghdr) std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = ::recv(*socket, buffer.data(), buffer.size(), 0);
    if (size <= 0) return;
    auto left = static_cast<unsigned>(size);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_type != RTM_NEWRULE) return;
      const auto* bytes = static_cast<const unsigned char*>(NLMSG_DATA(message));
      std::ostringstream fact;
      fact << "rule" << std::hex;
      for (unsigned i = 0; i < NLMSG_PAYLOAD(message, 0); ++i) fact << ' ' << unsigned{bytes[i]};
      facts.insert(fact.str());
    }
  }
}

/// parent, state and name from /proc/PID/stat; the name may hold blanks and brackets.
struct Stat {
  pid_t parent = 0;
  char state = 'X';
  std::string name;
};

Stat read_stat(const std::filesystem::path& directory) {
  const std::string text = text_of(directory / "stat");
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  Stat stat;
  if (open == std::string::npos || close == std::string::npos) return stat;
  stat.name = text.substr(open + 1, close - open - 1);
  std::istringstream(text.substr(close + 1)) >> stat.state >> stat.parent;
  return stat;
}

}  // namespace

HostState HostState::now() {
  HostState state;
  add_names(state.facts_, "interface", "/sys/class/net");
  add_names(state.facts_, "named network namespace", "/run/netns");
  add_lines(state.facts_, "ipv4 route", "/proc/self/net/route", {4, 5});
  add_lines(state.facts_, "ipv6 route", "/proc/self/net/ipv6_route", {6, 7});
  add_lines(state.facts_, "mount", "/proc/self/mountinfo", {});
  add_rules(state.facts_);
  add_cgroups(state.facts_);
  for (const char* file : {"/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"}) {
    state.facts_.insert(std::string(file) + " holding\n" + text_of(file));
  }
  return state;
}

std::vector<std::string> HostState::differences_to(const HostState& later) const {
  std::vector<std::string> lines;
  for (const std::string& fact : later.facts_) {
    if (!facts_.contains(fact)) lines.push_back("new: " + fact);
  }
  for (const std::string& fact : facts_) {
    if (!later.facts_.contains(fact)) lines.push_back("gone: " + fact);
  }
  return lines;
}

std::vector<std::string> unix_sockets_with(const std::string& text) {
  std::vector<std::string> found;
  std::ifstream stream("/proc/self/net/unix");
  std::string line;
  while (std::getline(stream, line)) {
    const std::size_t name = line.find_first_of("/@");
    if (name != std::string::npos && line.find(text, name) != std::string::npos) {
      found.push_back(line.substr(name));
    }
  }
  return found;
}

std::vector<LivingProcess> descendants_of(pid_t ancestor) {
  std::multimap<pid_t, LivingProcess> by_parent;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    const Stat stat = read_stat(entry.path());
    if (stat.state == 'X' || stat.state == 'Z')
      continue;  // gone meanwhile; a zombie has no children
    std::string command_line = text_of(entry.path() / "cmdline");
    std::replace(command_line.begin(), command_line.end(), '\0', ' ');
    by_parent.emplace(stat.parent,
                      LivingProcess{std::stoi(name), stat.parent, stat.name, command_line});
  }
  std::vector<LivingProcess> found;
  const std::function<void(pid_t)> visit = [&](pid_t parent) {
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto child = first; child != last; ++child) {
      found.push_back(child->second);
      visit(child->second.pid);
    }
  };
  visit(ancestor);
  return found;
}

}  // namespace isoenv::test
