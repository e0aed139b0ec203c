#include "environment_case.h"

namespace isoenv::test {
namespace {

template <typename Report>
Report result_of(const Call<Report>& call, const char* what) {
  EXPECT_TRUE(call->has_value()) << what << " has not returned";
  return call->value_or(Report{});
}

}  // namespace

std::vector<std::string> texts(const UpReport& report) {
  std::vector<std::string> result;
  for (const ServiceFailure& failure : report.failures) {
    result.push_back(failure.service + ": " + failure.what);
  }
  return result;
}

std::vector<std::string> effects(const FaultReport& report) {
  std::vector<std::string> result;
  for (const FaultEffect& effect : report.effects) {
    result.push_back(effect.service + ": " + effect.what);
  }
  return result;
}

std::vector<std::string> names(const DownReport& report) {
  std::vector<std::string> result;
  for (const ServiceStop& stop : report.stops) result.push_back(stop.service);
  return result;
}

void EnvironmentCase::TearDown() {
  backend().release_all();
  settle();
  const Call<DownReport> all = ask_down_all();
  settle();
  EXPECT_TRUE(all->has_value()) << "down_all() has not returned";
  EXPECT_TRUE(environment().idle());
  EXPECT_THAT(backend().running(), ::testing::IsEmpty());
  EXPECT_THAT(backend().violations(), ::testing::IsEmpty());
}

void EnvironmentCase::add_service(const std::string& name, std::initializer_list<Needed> depends) {
  add(false, name, depends);
}

void EnvironmentCase::add_task(const std::string& name, std::initializer_list<Needed> depends) {
  add(true, name, depends);
}

void EnvironmentCase::add(bool is_task, const std::string& name,
                          std::initializer_list<Needed> depends) {
  ServicePlan service;
  service.name = name;
  service.is_task = is_task;
  service.ready_timeout = std::chrono::seconds(30);
  service.stop_signal = SIGTERM;
  service.stop_timeout = std::chrono::seconds(10);
  for (const Needed& needed : depends) {
    ASSERT_LT(index(needed.service), plan_.services.size()) << needed.service;
    service.depends.push_back({index(needed.service), needed.need});
  }
  plan_.services.push_back(std::move(service));
}

FakeBackend& EnvironmentCase::backend() {
  if (!backend_) backend_.emplace(context_.get_executor(), plan_);
  return *backend_;
}

Environment& EnvironmentCase::environment() {
  if (!environment_) {
    environment_.emplace(context_.get_executor(), plan_, backend(), clock_, incidents_, timeline_);
  }
  return *environment_;
}

Call<UpReport> EnvironmentCase::ask_up(const std::vector<std::string>& services) {
  return spawn(context_.get_executor(), environment().up(indices(services)));
}

Call<DownReport> EnvironmentCase::ask_down(const std::vector<std::string>& services) {
  return spawn(context_.get_executor(), environment().down(indices(services)));
}

Call<DownReport> EnvironmentCase::ask_down_all() {
  return spawn(context_.get_executor(), environment().down_all());
}

Call<FaultReport> EnvironmentCase::ask_act(FaultKind kind, const std::vector<std::string>& services,
                                           std::uint64_t session, int signal, bool keep) {
  Fault fault{kind, indices(services), signal, {session, keep, "somebody"}};
  return spawn(context_.get_executor(), environment().act(std::move(fault)));
}

Call<FaultReport> EnvironmentCase::ask_undo(std::uint64_t session) {
  return spawn(context_.get_executor(), environment().undo(session));
}

FaultReport EnvironmentCase::act(FaultKind kind, const std::vector<std::string>& services,
                                 std::uint64_t session, int signal, bool keep) {
  const Call<FaultReport> call = ask_act(kind, services, session, signal, keep);
  settle();
  return result_of(call, "act()");
}

FaultReport EnvironmentCase::undo(std::uint64_t session) {
  const Call<FaultReport> call = ask_undo(session);
  settle();
  return result_of(call, "undo()");
}

bool EnvironmentCase::take_one_step() {
  context_.restart();
  return context_.poll_one() > 0;
}

Call<UpReport> EnvironmentCase::begin_up(const std::vector<std::string>& services) {
  Call<UpReport> call = ask_up(services);
  settle();
  return call;
}

Call<DownReport> EnvironmentCase::begin_down(const std::vector<std::string>& services) {
  Call<DownReport> call = ask_down(services);
  settle();
  return call;
}

UpReport EnvironmentCase::up(const std::vector<std::string>& services) {
  return result_of(begin_up(services), "up()");
}

DownReport EnvironmentCase::down(const std::vector<std::string>& services) {
  return result_of(begin_down(services), "down()");
}

ServiceStatus EnvironmentCase::status(const std::string& service) {
  return environment().status(index(service));
}

std::string EnvironmentCase::failure(const std::string& service) {
  return environment().failure(index(service)).what;
}

std::vector<std::size_t> EnvironmentCase::indices(const std::vector<std::string>& services) const {
  std::vector<std::size_t> result;
  for (const std::string& service : services) result.push_back(index(service));
  return result;
}

}  // namespace isoenv::test
