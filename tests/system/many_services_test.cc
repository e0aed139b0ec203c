// As many services as a spec may have: they come up, reach each other by name, and go.
#include "support/system_test.h"

namespace isoenv::test {
namespace {

constexpr int kServiceCount = 1000;
constexpr std::chrono::seconds kLongPatience{170};

class ManyServicesTest : public SystemTest {};

TEST_F(ManyServicesTest, ReachEachOtherAndLeaveNothing) {
  std::string services;
  for (int i = 1; i < kServiceCount; ++i) {
    const std::string name = "s" + std::to_string(i);
    services += "\"" + name + R"(": {"command": ["test_service", "tcp_echo", "*", "80", ")" + name +
                R"(: "], "ports": {"main": 80}}, )";
  }
  // The last in the plan asks the first and the one before itself.
  const auto spec = write_spec(R"("services": {)" + services + R"("asks": {
    "command": ["test_service", "tcp_ask", "4", "s1", "80", "v4", "then", "tcp_ask", "6", "s999",
                "80", "v6", "then", "tcp_echo", "*", "80", "asks: "],
    "depends": ["s1", "s999"], "ports": {"main": 80}}})");
  ASSERT_THAT(start_up(spec).wait(kLongPatience), ExitedWith(0));
  EXPECT_EQ(read_file(artefact_dir() / "latest" / "asks.log"), "s1: v4\ns999: v6\n");
  const Outcome answer = exec_in(
      spec, {"tcp_ask", "any", "s1", "80", "a", "then", "tcp_ask", "any", "asks", "80", "b"});
  EXPECT_THAT(answer, ExitedWith(0));
  EXPECT_EQ(answer.out, "s1: a\nasks: b\n");

  // All but three go, and come back: what the kernel told of it all meanwhile is in nobody's way.
  std::vector<std::string> most;
  for (int i = 2; i < kServiceCount - 1; ++i) most.push_back("s" + std::to_string(i));
  EXPECT_THAT(down(spec, most), ExitedWith(0));
  ASSERT_THAT(start_up(spec).wait(kLongPatience), ExitedWith(0));
  EXPECT_EQ(exec_in(spec, {"tcp_ask", "any", "s2", "80", "c", "then", "tcp_ask", "any", "s998",
                           "80", "d"})
                .out,
            "s2: c\ns998: d\n");
  EXPECT_THAT(down(spec), ExitedWith(0));
}

}  // namespace
}  // namespace isoenv::test
