#include "environment_case.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

namespace isoenv::test {
namespace {

namespace asio = boost::asio;

template <typename Report>
Call<Report> spawn(asio::io_context& context, asio::awaitable<Report> coroutine) {
  auto call = std::make_shared<std::optional<Report>>();
  asio::co_spawn(context, std::move(coroutine), [call](std::exception_ptr error, Report report) {
    if (error) std::rethrow_exception(error);
    *call = std::move(report);
  });
  return call;
}

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
  if (!environment_) environment_.emplace(context_.get_executor(), plan_, backend(), clock_);
  return *environment_;
}

Call<UpReport> EnvironmentCase::ask_up(const std::vector<std::string>& services) {
  return spawn(context_, environment().up(indices(services)));
}

Call<DownReport> EnvironmentCase::ask_down(const std::vector<std::string>& services) {
  return spawn(context_, environment().down(indices(services)));
}

Call<DownReport> EnvironmentCase::ask_down_all() {
  return spawn(context_, environment().down_all());
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
