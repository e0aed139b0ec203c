#include "source/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isoenv/error.h"
#include "isoenv/service.h"

namespace isoenv::inline client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kDescription[] = R"({"version":1,"isoenv":"9.1","environment":"lab",
    "spec_file":"/lab.json","instance":"01234567","rung":"root","run_directory":"/tmp/r/01234567",
    "temporary_directory":"/tmp/r/01234567/tmp","artefacts":"/var/a","variables":{"A":"b"},
    "unheard_of":[],
    "services":[{"service":"web","kind":"service","host":"web","ipv4":"10.79.0.2","ipv6":"",
                 "log":"/var/a/web.log","ports":[
                   {"name":"stats","number":8125,"protocol":"udp"},
                   {"name":"http","number":80,"protocol":"tcp","url":"http://web:80"}]},
                {"service":"seed","kind":"task","host":"seed","ipv4":"10.79.0.3","ipv6":"",
                 "log":"/var/a/seed.log","ports":[]}]})";

std::string message_of(const std::string& text) {
  try {
    parse_instance(Json::parse(text));
  } catch (const EnvironmentError& error) {
    return error.what();
  }
  return "it did not throw";
}

TEST(InstanceTest, IsReadFromADescriptionThatMayHoldMore) {
  const auto instance = std::make_shared<const Instance>(parse_instance(Json::parse(kDescription)));
  EXPECT_EQ(instance->environment, "lab");
  EXPECT_EQ(instance->variables.at(0).second, "b");
  EXPECT_TRUE(instance->has_namespaces());
  const Service web(instance, 0);
  EXPECT_EQ(web.port(), 8125);
  EXPECT_EQ(web.port("http"), 80);
  EXPECT_EQ(web.url(), "http://web:80");
  EXPECT_TRUE(Service(instance, 1).is_task());
  EXPECT_THROW(Service(instance, 1).port(), EnvironmentError);
}

TEST(InstanceTest, OfAnotherVersionIsRefused) {
  EXPECT_THAT(message_of(R"({"version":2,"isoenv":"9.1"})"),
              AllOf(HasSubstr("started by isoenv 9.1"), HasSubstr("hint: build the test with")));
}

TEST(InstanceTest, WithoutWhatItMustHaveIsRefused) {
  EXPECT_THAT(message_of("{}"), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of(R"({"version":1})"), HasSubstr("makes no sense"));
  EXPECT_THAT(message_of("[]"), HasSubstr("makes no sense"));
}

}  // namespace
}  // namespace isoenv::inline client
