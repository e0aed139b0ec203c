#include "base/fault_injection.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace isoenv {
namespace {

struct Fault {
  int role = -1;  ///< -1: any
  unsigned call = 0;
  std::uint32_t number = 0;
  int error_number = 0;
};

constexpr std::size_t kMostFaults = 16;
constexpr int kLargestErrno = 133;

/// Copied by fork(2) with the process, but for `counts`, which all share.
struct Injection {
  bool ready = false;
  Role role = Role::kClient;
  std::array<Fault, kMostFaults> faults;
  std::size_t fault_count = 0;
  std::uint32_t calls[kCallNames.size()] = {};
  FaultCounts* counts = nullptr;
};

constinit Injection injection;

/// Beyond the interposed write(2); a misspelt fault would make a test pass for nothing.
[[noreturn]] void refuse(std::string_view text) noexcept {
  constexpr std::string_view kMessage = "isoenv: ISOENV_FAULTS has no such fault: ";
  for (const std::string_view part : {kMessage, text, std::string_view("\n")}) {
    ::syscall(SYS_write, 2, part.data(), part.size());
  }
  ::_exit(2);
}

template <std::size_t kSize>
int position(const std::array<const char*, kSize>& names, std::string_view name) noexcept {
  for (std::size_t i = 0; i < kSize; ++i) {
    if (name == names[i]) return static_cast<int>(i);
  }
  return -1;
}

int errno_from(std::string_view name) noexcept {
  if (name == "SHORT") return kShortWrite;
  for (int number = 1; number <= kLargestErrno; ++number) {
    const char* const known = ::strerrorname_np(number);
    if (known != nullptr && name == known) return number;
  }
  return 0;
}

/// Cuts off what stands before `separator`.
std::string_view take(std::string_view& text, char separator) noexcept {
  const std::size_t end = text.find(separator);
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return taken;
}

Fault parse_fault(std::string_view text) noexcept {
  std::string_view rest = text;
  Fault fault;
  std::string_view name = take(rest, ':');
  if (name.find('.') != std::string_view::npos) {
    fault.role = position(kRoleNames, take(name, '.'));
    if (fault.role < 0) refuse(text);
  }
  const int call = position(kCallNames, name);
  for (const char digit : take(rest, ':')) {
    if (digit < '0' || digit > '9') refuse(text);
    fault.number = fault.number * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  fault.error_number = errno_from(rest);
  if (call < 0 || fault.number == 0 || fault.error_number == 0) refuse(text);
  fault.call = static_cast<unsigned>(call);
  return fault;
}

void prepare() noexcept {
  injection.ready = true;
  if (const char* const variable = std::getenv("ISOENV_FAULTS")) {
    std::string_view rest = variable;
    while (!rest.empty()) {
      const std::string_view text = take(rest, ',');
      if (injection.fault_count == kMostFaults) refuse(text);
      injection.faults[injection.fault_count++] = parse_fault(text);
    }
  }
  if (const char* const file = std::getenv("ISOENV_FAULT_COUNTS")) {
    const long fd = ::syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
    if (fd < 0) refuse(file);
    void* const shared = ::mmap(nullptr, sizeof(FaultCounts), PROT_READ | PROT_WRITE, MAP_SHARED,
                                static_cast<int>(fd), 0);
    ::syscall(SYS_close, fd);
    if (shared == MAP_FAILED) refuse(file);
    injection.counts = static_cast<FaultCounts*>(shared);
  }
}

void raise_to(std::uint32_t& shared, std::uint32_t number) noexcept {
  const std::atomic_ref<std::uint32_t> most(shared);
  std::uint32_t known = most.load();
  while (known < number && !most.compare_exchange_weak(known, number)) continue;
}

}  // namespace

int injected_fault(Call call) noexcept {
  if (!injection.ready) prepare();
  const auto kind = static_cast<unsigned>(call);
  const auto role = static_cast<unsigned>(injection.role);
  const std::uint32_t number = ++injection.calls[kind];
  if (injection.counts != nullptr) raise_to(injection.counts->calls[role][kind], number);
  for (std::size_t i = 0; i < injection.fault_count; ++i) {
    const Fault& fault = injection.faults[i];
    const bool meant = fault.role < 0 || fault.role == static_cast<int>(role);
    if (!meant || fault.call != kind || fault.number != number) continue;
    if (injection.counts != nullptr) ++std::atomic_ref(injection.counts->injected);
    return fault.error_number;
  }
  return 0;
}

void enter_role(Role role) noexcept {
  injection.role = role;
  for (std::uint32_t& calls : injection.calls) calls = 0;
}

}  // namespace isoenv
