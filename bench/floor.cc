#include "bench/floor.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <linux/veth.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "bench/netlink_batch.h"

namespace isoenv::bench {
namespace {

// Fixed, so that no answer has to be read to learn them; above those that the kernel gives to the
// tunnel devices which some machines have in every namespace.
constexpr int kBridge = 100;     // interface index of the bridge, in the hub
constexpr int kFirstPort = 101;  // interface index of service 0's end of its veth pair, in the hub
constexpr int kHubEth0 = 101;    // without a bridge: the hub's end of its own pair
constexpr int kWire = 102;       // without a bridge: the end of that pair where services are
constexpr int kEth0 = 100;       // interface index of eth0, in each service
constexpr std::uint16_t kServicePort = 8080;

// ---- what is asked of rtnetlink ----------------------------------------------------------------

ifinfomsg link(int index, bool up) {
  ifinfomsg header{};
  header.ifi_index = index;
  if (up) header.ifi_flags = header.ifi_change = IFF_UP;
  return header;
}

void add_address(NetlinkBatch& batch, int index, int host) {
  ifaddrmsg header{};
  header.ifa_index = static_cast<std::uint32_t>(index);
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = 16;
  const std::uint32_t v4 = htonl(0x0A4F0000U + static_cast<std::uint32_t>(host));  // 10.79.0.0/16
  batch.message(RTM_NEWADDR, NLM_F_CREATE, header);
  batch.attribute(IFA_LOCAL, v4);

  header.ifa_family = AF_INET6;
  header.ifa_prefixlen = 64;
  header.ifa_flags = IFA_F_NODAD;
  std::array<std::uint8_t, 16> v6{0xfd, 0x69, 0x73, 0x6f, 0x65, 0x6e, 0x76};
  v6[14] = static_cast<std::uint8_t>(host >> 8);
  v6[15] = static_cast<std::uint8_t>(host);
  batch.message(RTM_NEWADDR, NLM_F_CREATE, header);
  batch.attribute(IFA_LOCAL, v6);
}

NetlinkBatch loopback_up() {
  NetlinkBatch batch;
  batch.message(RTM_NEWLINK, 0, link(1, true));
  return batch;
}

NetlinkBatch bridge_with_address() {
  NetlinkBatch batch = loopback_up();
  batch.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link(kBridge, true));
  batch.text(IFLA_IFNAME, "br0");
  const auto info = batch.nest(IFLA_LINKINFO);
  batch.text(IFLA_INFO_KIND, "bridge");
  batch.end(info);
  add_address(batch, kBridge, 1);
  return batch;
}

void describe(NetlinkBatch& batch, const std::string& name) {
  const std::uint32_t one_queue = 1;
  batch.text(IFLA_IFNAME, name);
  batch.attribute(IFLA_NUM_TX_QUEUES, one_queue);
  batch.attribute(IFLA_NUM_RX_QUEUES, one_queue);
}

// A pair of one end in the hub, which can join `bridge` in the same message, and an `eth0`, made in
// `service`'s namespace at once, since moving it later costs thirteen times as much. A veth cannot
// be made up together with its peer: raising it is a second message.
void add_veth(NetlinkBatch& batch, int index, const std::string& name, std::optional<int> bridge,
              int eth0, std::optional<pid_t> service) {
  batch.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link(index, false));
  describe(batch, name);
  if (bridge) batch.attribute(IFLA_MASTER, static_cast<std::uint32_t>(*bridge));
  const auto info = batch.nest(IFLA_LINKINFO);
  batch.text(IFLA_INFO_KIND, "veth");
  const auto pair = batch.nest(IFLA_INFO_DATA);
  const auto peer = batch.nest(VETH_INFO_PEER);
  batch.header(link(eth0, false));
  describe(batch, "eth0");
  if (service) batch.attribute(IFLA_NET_NS_PID, static_cast<std::uint32_t>(*service));
  batch.end(peer);
  batch.end(pair);
  batch.end(info);
  batch.message(RTM_NEWLINK, 0, link(index, true));
}

NetlinkBatch veth_between_bridge_and(pid_t service, int index) {
  NetlinkBatch batch;
  add_veth(batch, index, "v" + std::to_string(index), kBridge, kEth0, service);
  return batch;
}

NetlinkBatch pair_of_the_hub() {
  NetlinkBatch batch = loopback_up();
  add_veth(batch, kWire, "wire", std::nullopt, kHubEth0, std::nullopt);
  batch.message(RTM_NEWLINK, 0, link(kHubEth0, true));
  add_address(batch, kHubEth0, 1);
  return batch;
}

NetlinkBatch macvlan_in(pid_t service) {
  NetlinkBatch batch;
  batch.message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link(kEth0, false));
  describe(batch, "eth0");
  batch.attribute(IFLA_LINK, std::uint32_t{kWire});
  batch.attribute(IFLA_NET_NS_PID, static_cast<std::uint32_t>(service));
  const auto info = batch.nest(IFLA_LINKINFO);
  batch.text(IFLA_INFO_KIND, "macvlan");
  const auto data = batch.nest(IFLA_INFO_DATA);
  batch.attribute(IFLA_MACVLAN_MODE, std::uint32_t{MACVLAN_MODE_BRIDGE});
  batch.end(data);
  batch.end(info);
  return batch;
}

NetlinkBatch addresses_of_service(int number) {
  NetlinkBatch batch;
  batch.message(RTM_NEWLINK, 0, link(1, true));
  add_address(batch, kEth0, number + 2);
  batch.message(RTM_NEWLINK, 0, link(kEth0, true));
  return batch;
}

/// The interface that `message` reports as operationally up; 0 if it does not. The bridge tells of
/// its ports in messages of its own family, which come before the link can carry traffic.
int link_reported_up(nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK) return 0;
  auto* header = static_cast<ifinfomsg*>(NLMSG_DATA(&message));
  if (header->ifi_family != AF_UNSPEC) return 0;
  auto left = static_cast<int>(IFLA_PAYLOAD(&message));
  for (auto* attribute = IFLA_RTA(header); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type == IFLA_OPERSTATE)
      return *static_cast<std::uint8_t*>(RTA_DATA(attribute)) == IF_OPER_UP ? header->ifi_index : 0;
  }
  return 0;
}

// ---- a service ---------------------------------------------------------------------------------

struct Service {
  Service(int service_number, std::string service_program, Inits service_inits)
      : number(service_number), program(std::move(service_program)), inits(service_inits) {}

  int number;
  std::string program;
  Inits inits;
  UniqueFd gate;  ///< the child executes its program once this has been written to
  std::unique_ptr<std::array<char, 16384>> stack = std::make_unique<std::array<char, 16384>>();
  UniqueFd pidfd;
  pid_t pid = -1;
  std::unique_ptr<NetlinkSocket> route;      ///< in the service's namespace, hears its link events
  std::unique_ptr<NetlinkSocket> listeners;  ///< in the service's namespace
};

// Runs in the child, which shares the hub's memory until it executes: system calls only.
int execute_when_released(void* argument) {
  auto& service = *static_cast<Service*>(argument);
  std::uint64_t released = 0;
  if (read(*service.gate, &released, sizeof released) != sizeof released) _exit(126);
  char port[] = "8080";
  char* const argv[] = {service.program.data(), port, nullptr};
  char* const environment[] = {nullptr};
  const pid_t program = service.inits == Inits::kNone ? 0 : vfork();
  if (program == 0) {
    execve(argv[0], argv, environment);
    _exit(127);
  }
  while (waitpid(-1, nullptr, 0) != program) continue;
  _exit(0);
}

// clone(2) by the C library's wrapper, which gives the child its own stack: with the raw clone3(2)
// memory could not be shared, and copying the hub's page tables costs an eighth of a start. An init
// has memory of its own: it lives beside the hub, and not only until it executes.
void make_namespaces(Service& service) {
  service.gate.reset(eventfd(0, EFD_CLOEXEC));
  if (!service.gate) throw_errno("create an eventfd");
  int pidfd = -1;
  const int memory = service.inits == Inits::kNone ? CLONE_VM : 0;
  service.pid = clone(execute_when_released, service.stack->data() + service.stack->size(),
                      memory | CLONE_PIDFD | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS |
                          CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD,
                      &service, &pidfd);
  if (service.pid < 0) throw_errno("clone into new namespaces");
  service.pidfd.reset(pidfd);
}

void open_sockets_inside(Service& service, int hub_namespace) {
  if (setns(*service.pidfd, CLONE_NEWNET) != 0) throw_errno("enter a service's network namespace");
  service.route = std::make_unique<NetlinkSocket>(NETLINK_ROUTE, RTMGRP_LINK);
  service.listeners = std::make_unique<NetlinkSocket>(NETLINK_SOCK_DIAG, 0);
  if (setns(hub_namespace, CLONE_NEWNET) != 0) throw_errno("return to the hub's network namespace");
}

void release(const Service& service) {
  const std::uint64_t one = 1;
  if (write(*service.gate, &one, sizeof one) != sizeof one) throw_errno("release a service");
}

bool is_listening(const Service& service) {
  inet_diag_req_v2 request{};
  request.sdiag_family = AF_INET6;
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = 1U << TCP_LISTEN;
  NetlinkBatch batch;
  batch.message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, request);
  service.listeners->send(batch);
  bool listening = false;
  bool done = false;
  while (!done) {
    service.listeners->receive(true, [&](nlmsghdr& message) {
      if (message.nlmsg_type == NLMSG_DONE) done = true;
      if (message.nlmsg_type != SOCK_DIAG_BY_FAMILY) return;
      const auto* socket = static_cast<const inet_diag_msg*>(NLMSG_DATA(&message));
      listening = listening || ntohs(socket->id.idiag_sport) == kServicePort;
    });
  }
  return listening;
}

void await_listening(std::vector<Service>& services) {
  for (Service& service : services) {
    while (!is_listening(service)) {
      siginfo_t ended{};
      if (waitid(P_PIDFD, static_cast<id_t>(*service.pidfd), &ended, WEXITED | WNOHANG) == 0 &&
          ended.si_pid != 0)
        throw Error("the service \"" + service.program + "\" ended before it listened");
      const timespec pause{.tv_sec = 0, .tv_nsec = 50'000};
      nanosleep(&pause, nullptr);
    }
  }
}

// ---- the hub -----------------------------------------------------------------------------------

void write_text(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  if (!file) throw_errno("open", path);
  if (write(*file, text.data(), text.size()) < 0) throw_errno("write", path);
}

void map_own_ids(uid_t uid, gid_t gid) {
  write_text("/proc/self/setgroups", "deny");
  write_text("/proc/self/uid_map", std::to_string(uid) + " " + std::to_string(uid) + " 1");
  write_text("/proc/self/gid_map", std::to_string(gid) + " " + std::to_string(gid) + " 1");
}

void bring_up(std::vector<Service>& services, Links links) {
  const NetlinkSocket hub(NETLINK_ROUTE, RTMGRP_LINK);
  const UniqueFd hub_namespace(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!hub_namespace) throw_errno("open the hub's network namespace");
  const bool bridged = links == Links::kBridge;
  NetlinkBatch hub_links = services.empty() ? loopback_up()
                           : bridged        ? bridge_with_address()
                                            : pair_of_the_hub();
  hub.send(hub_links);

  std::set<int> ports_up;
  const auto note_port = [&](nlmsghdr& message) {
    if (const int index = link_reported_up(message); index >= kFirstPort) ports_up.insert(index);
  };
  // A macvlan interface that is raised when its parent carries can send at once.
  while (!bridged && !services.empty() && ports_up.size() < 2) hub.receive(true, note_port);
  for (Service& service : services) {
    make_namespaces(service);
    NetlinkBatch to_service =
        bridged ? veth_between_bridge_and(service.pid, kFirstPort + service.number)
                : macvlan_in(service.pid);
    hub.send(to_service);
    open_sockets_inside(service, *hub_namespace);
    NetlinkBatch addresses = addresses_of_service(service.number);
    service.route->send(addresses);
    release(service);
    while (hub.receive(false, note_port)) continue;
  }

  while (bridged && ports_up.size() < services.size()) hub.receive(true, note_port);
  for (const Service& service : services) {
    bool up = !bridged;
    while (!up) {
      service.route->receive(
          true, [&](nlmsghdr& message) { up = up || link_reported_up(message) == kEth0; });
    }
  }
  await_listening(services);
}

bool run_once(std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  errno = posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
  if (errno != 0) throw_errno("run", command[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  return status == 0;
}

[[noreturn]] void be_hub(int control, int count, const std::string& program, FloorKind kind,
                         std::vector<std::string> command, uid_t uid, gid_t gid) {
  try {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (uid != 0) map_own_ids(uid, gid);
    std::vector<Service> services;
    for (int number = 0; number < count; ++number)
      services.emplace_back(number, program, kind.inits);
    bring_up(services, kind.links);
    for (char order = 'u'; write(control, &order, 1) == 1 && read(control, &order, 1) == 1;)
      if (!run_once(command)) break;
  } catch (const Error& error) {
    std::fprintf(stderr, "isoenv_bench: floor: %s\n", error.what());
  }
  _exit(1);
}

}  // namespace

Floor::Floor(int services, const std::filesystem::path& service_program, FloorKind kind,
             std::vector<std::string> command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair");
  control_.reset(ends[0]);
  UniqueFd hub_end(ends[1]);
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  clone_args args{};
  args.flags = CLONE_NEWNET | CLONE_NEWPID | (uid != 0 ? CLONE_NEWUSER : 0U);
  args.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
  if (pid < 0) throw_errno("clone3 into the hub's namespaces");
  if (pid == 0) {
    be_hub(*hub_end, services, service_program.string(), kind, std::move(command), uid, gid);
  }
  hub_ = pid;
  hub_end.reset();
  try {
    await_report();
  } catch (...) {
    down();
    throw;
  }
}

Floor::~Floor() { down(); }

void Floor::await_report() {
  char answer = 0;
  if (read(*control_, &answer, 1) != 1) throw Error("the floor's hub ended early");
}

std::string Floor::address_of(int number) { return "10.79.0." + std::to_string(number + 2); }

void Floor::run() {
  const char order = 'r';
  if (write(*control_, &order, 1) != 1) throw_errno("write to the floor's hub");
  await_report();
}

void Floor::down() noexcept {
  if (hub_ < 0) return;
  kill(hub_, SIGKILL);
  while (waitpid(hub_, nullptr, 0) < 0 && errno == EINTR) continue;
  hub_ = -1;
}

}  // namespace isoenv::bench
