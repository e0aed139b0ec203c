// Machines that grant every namespace but not the one kind of link: what `doctor` and `auto` name.
//
// No filter can tell one kind from another, as requests of netlink are data: the answers to these
// are made to fail (base/fault_injection.h), as a kernel without the module, or a policy, does.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "support/system_test.h"

namespace isoenv::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

struct DeniedLink {
  const char* name;
  const char* fault;
  const char* capability;
  const char* step;
  const char* error;
  const char* cause;
};

constexpr DeniedLink kLinks[] = {
    {"NoVeth", "veth:1:EOPNOTSUPP", "network", "create a veth pair", "EOPNOTSUPP",
     "the kernel has no veth"},
    {"NoMacvlan", "macvlan:1:EOPNOTSUPP", "link", "create a macvlan interface", "EOPNOTSUPP",
     "the kernel has no macvlan"},
    {"VethForbidden", "veth:1:EPERM", "network", "create a veth pair", "EPERM", ""},
    {"MacvlanForbidden", "macvlan:1:EPERM", "link", "create a macvlan interface", "EPERM", ""},
};

class DeniedLinkTest : public SystemTest, public ::testing::WithParamInterface<DeniedLink> {
 protected:
  DeniedLinkTest() { options().env["ISOENV_FAULTS"] = GetParam().fault; }

  Outcome up_with(const std::string& isolation) const {
    const auto spec = write_spec(R"("services": {
      "web": {"command": ["test_service", "tcp_echo", "*", "env:PORT"], "ports": {"http": "auto"}},
      "more": {"command": ["test_service", "waits"], "depends": {"web": "ready"}}})");
    const Outcome outcome = isoenv({"up", "-f", spec, "--isolation", isolation, "--artefacts",
                                    artefact_dir(), "--owner", std::to_string(::getpid())});
    EXPECT_THAT(down(spec), ExitedWith(0));
    return outcome;
  }
  static std::string told() {
    return "cannot " + std::string(GetParam().step) + ": " + GetParam().error + " ";
  }
};

TEST_P(DeniedLinkTest, IsTheOneStepThatDoctorFindsRefused) {
  const Outcome outcome = isoenv({"doctor", "--json"});
  EXPECT_THAT(outcome, ExitedWith(77));
  const Json report = Json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(report.is_object()) << outcome;
  std::size_t refused = 0;
  for (const Json& finding : report["capabilities"]) {
    if (finding["state"] != "refused") continue;
    ++refused;
    EXPECT_EQ(finding["name"], GetParam().capability);
    EXPECT_EQ(finding["step"], GetParam().step);
    EXPECT_THAT(finding.value("error", ""), HasSubstr(GetParam().error));
    EXPECT_THAT(finding["cause"].value("text", ""), HasSubstr(GetParam().cause));
  }
  EXPECT_EQ(refused, 1U) << report;
}

TEST_P(DeniedLinkTest, IsWhyAutoDegrades) {
  const Outcome outcome = up_with("auto");
  EXPECT_THAT(outcome, ExitedWith(0));
  EXPECT_THAT(outcome.out,
              HasSubstr("no namespaces, ports of the host's loopback instead: " + told()));
}

TEST_P(DeniedLinkTest, IsWhyNetnsRefuses) {
  const Outcome outcome = up_with("netns");
  EXPECT_THAT(outcome, ExitedWith(77));
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(told()), HasSubstr(GetParam().cause)));
}

INSTANTIATE_TEST_SUITE_P(On, DeniedLinkTest, ::testing::ValuesIn(kLinks),
                         [](const auto& link) { return std::string(link.param.name); });

}  // namespace
}  // namespace isoenv::test
