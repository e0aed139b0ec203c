#include "process/init_plan.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

namespace isoenv {
namespace {

/// Appends what it is given.
class Writer {
 public:
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void operator()(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void operator()(const std::string& text) {
    (*this)(text.size());
    bytes_.append(text);
  }
  void operator()(const StringBlock& strings) { (*this)(strings.bytes()); }
  template <typename T>
  void operator()(const std::vector<T>& values) {
    (*this)(values.size());
    for (const T& value : values) (*this)(value);
  }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Fills what it is given, in the same order.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void operator()(T& value) { std::memcpy(&value, take(sizeof value).data(), sizeof value); }
  void operator()(std::string& text) { text = take(size()); }
  void operator()(StringBlock& strings) {
    strings = StringBlock::from_bytes(std::string(take(size())));
  }
  template <typename T>
  void operator()(std::vector<T>& values) {
    values.resize(size());
    for (T& value : values) (*this)(value);
  }

 private:
  std::size_t size() {
    std::size_t size = 0;
    (*this)(size);
    return size;
  }
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
};

template <typename Archive, typename AnAccount>
void each_field_of_account(Archive& archive, AnAccount& account) {
  archive(account.name);
  archive(account.home);
  archive(account.shell);
  archive(account.uid);
  archive(account.gid);
  archive(account.groups);
}

template <typename Archive, typename AProgram>
void each_plain_field(Archive& archive, AProgram& program) {
  archive(program.executable);
  archive(program.argv);
  archive(program.env);
  archive(program.working_directory);
  archive(program.stdio);
  archive(program.open_files);
  archive(program.new_session);
  archive(program.dies_with_parent);
  archive(program.bound_capabilities);
  archive(program.debugs);
  archive(program.must_reach);
}

template <typename Archive, typename APlan>
void each_plain_field_of_plan(Archive& archive, APlan& plan) {
  archive(plan.ends_tree);
  archive(plan.hostname);
  archive(plan.own_proc);
  archive(plan.own_sys);
  archive(plan.protect_settings);
  archive(plan.low_ports);
  archive(plan.essential_low_ports);
  archive(plan.launched_program);
}

void write(Writer& writer, const Program& program) {
  each_plain_field(writer, program);
  writer(program.account.has_value());
  if (program.account) each_field_of_account(writer, *program.account);
}

Program read_program(Reader& reader) {
  Program program;
  each_plain_field(reader, program);
  bool has_account = false;
  reader(has_account);
  if (has_account) each_field_of_account(reader, program.account.emplace());
  return program;
}

}  // namespace

std::vector<int> descriptors(const InitPlan& plan) {
  std::vector<int> found;
  const auto add = [&](const Program& program) {
    for (const int fd : program.stdio) {
      if (fd > 2) found.push_back(fd);
    }
  };
  add(plan.program);
  for (const Program& probe : plan.probes) add(probe);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string encode(const InitPlan& plan) {
  Writer writer;
  each_plain_field_of_plan(writer, plan);
  writer(plan.probes.size());
  write(writer, plan.program);
  for (const Program& probe : plan.probes) write(writer, probe);
  return writer.take();
}

InitPlan decode_init_plan(std::string_view bytes, const std::vector<int>& received) {
  Reader reader(bytes);
  InitPlan plan;
  each_plain_field_of_plan(reader, plan);
  std::size_t probes = 0;
  reader(probes);
  plan.program = read_program(reader);
  for (std::size_t i = 0; i < probes; ++i) plan.probes.push_back(read_program(reader));

  const std::vector<int> written = descriptors(plan);
  const auto replace = [&](Program& program) {
    for (int& fd : program.stdio) {
      if (fd <= 2) continue;
      const auto at = std::lower_bound(written.begin(), written.end(), fd) - written.begin();
      fd = received.at(static_cast<std::size_t>(at));
    }
  };
  replace(plan.program);
  for (Program& probe : plan.probes) replace(probe);
  return plan;
}

}  // namespace isoenv
