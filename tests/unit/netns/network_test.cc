// An instance's network without an instance: hub and services are network namespaces of children.
#include "netns/network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/syscall.h"
#include "netns/socket_diag.h"

namespace isoenv {
namespace {

namespace asio = boost::asio;

constexpr int kRefused = 77;
constexpr uid_t kSomebody = 61616;
const InterfaceAddress kHub{"10.79.0.1", 16, "fd69::1", 64};
const InterfaceAddress kService{"10.79.0.2", 16, "fd69::2", 64};
const InterfaceAddress kOther{"10.79.0.3", 16, "fd69::3", 64};

/// With the parameter as an ordinary user, in a user namespace; without it as root.
class HubNetworkTest : public testing::TestWithParam<bool> {
 protected:
  static void in_hub(const std::function<void()>& body);
};

/// Runs `body` in a child, in a network namespace of its own in which it may do anything; what it
/// throws fails the test.
void HubNetworkTest::in_hub(const std::function<void()>& body) {
  const bool root = ::geteuid() == 0;
  if (!kernel_has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const pid_t pid = ::fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    if (GetParam() && root) {
      if (::setresuid(kSomebody, kSomebody, kSomebody) != 0) ::_exit(kRefused);
      ::prctl(PR_SET_DUMPABLE, 1);  // as any program that he starts: children may be entered
    }
    if (::unshare(CLONE_NEWNET | (GetParam() ? CLONE_NEWUSER : 0)) != 0) ::_exit(kRefused);
    try {
      body();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) GTEST_SKIP() << "no namespaces here";
  EXPECT_EQ(status, 0) << "see what the child wrote above";
}

/// A process in a network namespace of its own, as the init of a sandbox is.
class Sandboxed {
 public:
  Sandboxed() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe");
    UniqueFd entered(ends[0]);
    UniqueFd enters(ends[1]);
    pid_ = ::fork();
    if (pid_ < 0) throw_errno("fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::unshare(CLONE_NEWNET) != 0 || ::write(*enters, "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    char byte = 0;
    enters.reset();
    if (::read(*entered, &byte, 1) != 1) throw Error("no network namespace for a service");
    pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) throw_errno("pidfd_open");
  }
  ~Sandboxed() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sandboxed(const Sandboxed&) = delete;
  Sandboxed& operator=(const Sandboxed&) = delete;

  pid_t pid() const { return pid_; }
  int pidfd() const { return *pidfd_; }

  UniqueFd socket(int family, int type) const {
    UniqueFd opened;
    in_network_namespace(*pidfd_, [&] { opened.reset(::socket(family, type | SOCK_CLOEXEC, 0)); });
    return opened;
  }
  UniqueFd route_socket() const {
    UniqueFd opened;
    in_network_namespace(*pidfd_, [&] { opened = try_open_netlink(NETLINK_ROUTE); });
    return opened;
  }
  std::string hardware_address() const {
    const UniqueFd asking = socket(AF_INET, SOCK_DGRAM);
    ifreq request{};
    std::strcpy(request.ifr_name, "eth0");
    if (::ioctl(*asking, SIOCGIFHWADDR, &request) != 0) throw_errno("ask for eth0's address");
    const auto* bytes = reinterpret_cast<const unsigned char*>(request.ifr_hwaddr.sa_data);
    char text[18];
    std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
                  bytes[3], bytes[4], bytes[5]);
    return text;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd pidfd_;
};

struct SocketAddress {
  explicit SocketAddress(const std::string& text, std::uint16_t port = 0) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    if (::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr) == 1) {
      ipv4.sin_family = AF_INET;
      ipv4.sin_port = htons(port);
      length = sizeof ipv4;
    } else {
      ::inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr);
      ipv6.sin6_family = AF_INET6;
      ipv6.sin6_port = htons(port);
      length = sizeof ipv6;
    }
  }
  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// 0, or why nothing could be bound to it there.
int bind_error(const Sandboxed& sandboxed, const std::string& text) {
  const SocketAddress address(text);
  const UniqueFd socket = sandboxed.socket(address.family(), SOCK_STREAM);
  return ::bind(*socket, address.get(), address.length) == 0 ? 0 : errno;
}

/// The errno of a connection by `socket`, of the address' family, to a port that nobody listens on:
/// ECONNREFUSED comes from a neighbour.
int connect_error(UniqueFd socket, const std::string& text) {
  const SocketAddress address(text, 9);
  return ::connect(*socket, address.get(), address.length) == 0 ? 0 : errno;
}

/// Where the hub sends what is for that address; "" = it does not know.
std::string neighbour(const std::string& text) {
  nl_sock* socket = nl_socket_alloc();
  nl_connect(socket, NETLINK_ROUTE);
  nl_cache* cache = nullptr;
  rtnl_neigh_alloc_cache(socket, &cache);
  std::string found;
  for (nl_object* object = nl_cache_get_first(cache); object; object = nl_cache_get_next(object)) {
    auto* entry = reinterpret_cast<rtnl_neigh*>(object);
    char address[64] = "";
    nl_addr2str(rtnl_neigh_get_dst(entry), address, sizeof address);
    if (address != text || rtnl_neigh_get_lladdr(entry) == nullptr) continue;
    nl_addr2str(rtnl_neigh_get_lladdr(entry), address, sizeof address);
    found = address;
  }
  nl_cache_free(cache);
  nl_socket_free(socket);
  return found;
}

/// The same of a service.
std::string neighbour(const Sandboxed& sandboxed, const std::string& text) {
  std::string found;
  in_network_namespace(sandboxed.pidfd(), [&] { found = neighbour(text); });
  return found;
}

class Network {
 public:
  void attach(const Sandboxed& service, unsigned number = 0,
              const InterfaceAddress& address = kService) {
    bool done = false;
    std::exception_ptr failure;
    const UniqueFd& ipv6 = ipv6_.emplace_back(service.socket(AF_INET6, SOCK_DGRAM));
    asio::co_spawn(context_,
                   hub_.attach(number, service.pid(), service.route_socket(), *ipv6, address),
                   [&](std::exception_ptr error) {
                     failure = std::move(error);
                     done = true;
                   });
    context_.restart();  // it has stopped where the attachment before left nothing to do
    while (!done) context_.run_one();
    if (failure) std::rethrow_exception(failure);
  }

 private:
  asio::io_context context_{1};
  HubNetwork hub_{context_.get_executor(), kHub};
  std::vector<UniqueFd> ipv6_;
};

TEST_P(HubNetworkTest, NeverLeavesTheHubToWorkInAService) {
  in_hub([] {
    const auto hub = std::filesystem::read_symlink("/proc/self/ns/net");
    const Sandboxed service;
    std::filesystem::path worker;
    in_network_namespace(service.pidfd(), [&] {
      EXPECT_EQ(std::filesystem::read_symlink("/proc/self/ns/net"), hub);
      worker = std::filesystem::read_symlink("/proc/thread-self/ns/net");
    });
    EXPECT_NE(worker, hub);
    EXPECT_EQ(worker,
              std::filesystem::read_symlink("/proc/" + std::to_string(service.pid()) + "/ns/net"));
  });
}

TEST_P(HubNetworkTest, ReachesAServiceAtOnceOverBothFamilies) {
  in_hub([] {
    Network network;
    const Sandboxed service;
    network.attach(service);
    for (const auto& [family, address] :
         {std::pair{AF_INET, kService.ipv4}, {AF_INET6, kService.ipv6}})
      EXPECT_EQ(connect_error(UniqueFd(::socket(family, SOCK_STREAM, 0)), address), ECONNREFUSED);
  });
}

/// Who takes and gives back the lock of all interfaces, as instances do that come and go.
class Churn {
 public:
  Churn() : pid_(::fork()) {
    if (pid_ < 0) throw_errno("fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    go_on();
  }
  ~Churn() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  bool goes_on() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }

 private:
  [[noreturn]] static void go_on() noexcept {
    while (::unshare(CLONE_NEWNET) == 0) raise_loopback();
    ::_exit(1);
  }

  pid_t pid_;
};

/// The kernel puts an IPv6 address to use by and by, and late where others change interfaces too.
/// A datagram that is lost is never sent again, and who asks does so only once.
TEST_P(HubNetworkTest, IsFoundByAllAsSoonAsItIsAttached) {
  in_hub([] {
    Network network;
    const Sandboxed other;
    network.attach(other, 1, kOther);
    in_network_namespace(other.pidfd(), [] {
      if (!write_file("/proc/sys/net/ipv6/neigh/eth0/mcast_solicit", "1"))
        throw_errno("ask for neighbours only once");
    });
    const UniqueFd senders[] = {UniqueFd(::socket(AF_INET6, SOCK_DGRAM, 0)),
                                other.socket(AF_INET6, SOCK_DGRAM)};
    const Churn churn;
    for (unsigned number = 2; number < 52; ++number) {
      const Sandboxed service;
      const UniqueFd program = service.socket(AF_INET6, SOCK_DGRAM);
      const SocketAddress any("::", 9);
      ASSERT_EQ(::bind(*program, any.get(), any.length), 0);
      const std::string last = std::to_string(number + 2);
      network.attach(service, number, {"10.79.0." + last, 16, "fd69::1:" + last, 64});
      const SocketAddress to("fd69::1:" + last, 9);
      for (const UniqueFd& sender : senders) {
        ASSERT_EQ(::sendto(*sender, "x", 1, 0, to.get(), to.length), 1);
        pollfd arrival{*program, POLLIN, 0};
        ASSERT_EQ(::poll(&arrival, 1, 5000), 1) << "of service " << number;
        char byte = 0;
        ASSERT_EQ(::recv(*program, &byte, 1, 0), 1);
      }
    }
    EXPECT_TRUE(churn.goes_on());
  });
}

TEST_P(HubNetworkTest, LetsHubAndServicesKnowEachOtherWithoutAsking) {
  in_hub([] {
    Network network;
    for (int life = 0; life < 2; ++life) {
      const Sandboxed service;
      network.attach(service);
      EXPECT_EQ(neighbour(kService.ipv4), service.hardware_address());
      EXPECT_EQ(neighbour(kService.ipv6), service.hardware_address());
      EXPECT_NE(neighbour(service, kHub.ipv4), "");
      EXPECT_NE(neighbour(service, kHub.ipv6), "");
    }
  });
}

TEST_P(HubNetworkTest, TellsNeighboursOfAnotherLifeWhoseFirstOneIsStillThere) {
  in_hub([] {
    Network network;
    const Sandboxed first;
    const Sandboxed other;
    network.attach(first);
    network.attach(other, 1, kOther);
    const auto expect_known = [&](const Sandboxed& service) {
      EXPECT_EQ(connect_error(other.socket(AF_INET, SOCK_STREAM), kService.ipv4), ECONNREFUSED);
      EXPECT_EQ(connect_error(other.socket(AF_INET6, SOCK_STREAM), kService.ipv6), ECONNREFUSED);
      EXPECT_EQ(neighbour(other, kService.ipv4), service.hardware_address());
      EXPECT_EQ(neighbour(other, kService.ipv6), service.hardware_address());
    };
    expect_known(first);

    silence(*first.socket(AF_INET, SOCK_DGRAM), kService);
    const Sandboxed second;
    network.attach(second);
    EXPECT_NE(first.hardware_address(), second.hardware_address());
    EXPECT_EQ(neighbour(other, kService.ipv4), second.hardware_address());
    EXPECT_EQ(neighbour(other, kService.ipv6), second.hardware_address());
    expect_known(second);
  });
}

TEST_P(HubNetworkTest, NeedsNoRightToAnnounceAnotherLife) {
  in_hub([] {
    Network network;
    {
      const Sandboxed first;
      network.attach(first);
    }
    const Sandboxed second;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    if (::syscall(SYS_capget, &header, sets) != 0) throw_errno("read the capabilities");
    sets[0].effective &= ~(1U << CAP_NET_RAW);
    if (::syscall(SYS_capset, &header, sets) != 0) throw_errno("drop a capability");
    EXPECT_FALSE(UniqueFd(::socket(AF_PACKET, SOCK_DGRAM, 0)));
    network.attach(second);
    EXPECT_EQ(neighbour(kService.ipv4), second.hardware_address());
  });
}

TEST_P(HubNetworkTest, SilencesAnEndedServiceWhoseNamespaceStays) {
  in_hub([] {
    Network network;
    const Sandboxed service;
    network.attach(service);
    EXPECT_EQ(bind_error(service, kService.ipv4), 0);
    EXPECT_EQ(bind_error(service, kService.ipv6), 0);
    silence(*service.socket(AF_NETLINK, SOCK_RAW), kService);
    EXPECT_EQ(bind_error(service, kService.ipv4), EADDRNOTAVAIL);
    EXPECT_EQ(bind_error(service, kService.ipv6), EADDRNOTAVAIL);
    EXPECT_EQ(connect_error(service.socket(AF_INET6, SOCK_DGRAM), kService.ipv6), ENETUNREACH);
    silence(*service.socket(AF_NETLINK, SOCK_RAW), kService);  // nothing happens
  });
}

/// Who is not root can only be the ordinary user.
std::vector<bool> users() {
  return ::geteuid() == 0 ? std::vector<bool>{false, true} : std::vector<bool>{true};
}

INSTANTIATE_TEST_SUITE_P(As, HubNetworkTest, testing::ValuesIn(users()),
                         [](const auto& user) { return user.param ? "User" : "Root"; });

}  // namespace
}  // namespace isoenv
