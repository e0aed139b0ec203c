#include "harness/repeat_command.h"

#include <gtest/gtest.h>

namespace isoenv {
namespace {

RepeatedTest order_test() {
  RepeatedTest test;
  test.isoenv = "/opt/isoenv";
  test.spec_file = "/p/shop.json";
  test.working_directory = "/p/my build";
  test.services = {"order"};
  test.faults = {"pause:order@1s"};
  test.tolerance = parse_tolerance({"user"}, {"order:3"});
  test.command = {"./order_test", "--gtest_filter=Order.*", "it's", ""};
  return test;
}

TEST(RepeatCommandTest, IsAnInstanceOfItsOwnWhenCtestIsNotThere) {
  EXPECT_EQ(repeat_command(order_test()),
            "cd '/p/my build' && /opt/isoenv run --file /p/shop.json --service order "
            "--fault pause:order@1s --expect-exit order:3 --allow-failure user "
            "-- ./order_test '--gtest_filter=Order.*' 'it'\\''s' ''");
}

TEST(RepeatCommandTest, IsThatOneTestUnderCtest) {
  RepeatedTest test = order_test();
  test.ctest_name = "order.places (1+1)";
  test.ctest_folder = "/p/build";
  EXPECT_EQ(repeat_command(test),
            "ctest --test-dir /p/build -R '^order\\.places \\(1\\+1\\)$' --output-on-failure");
  test.ctest_configuration = "Debug";
  EXPECT_EQ(repeat_command(test),
            "ctest --test-dir /p/build -C Debug -R '^order\\.places \\(1\\+1\\)$' "
            "--output-on-failure");
}

TEST(RepeatCommandTest, NeedsTheNameThatCtestKnows) {
  RepeatedTest test = order_test();
  test.ctest_folder = "/p/build";
  EXPECT_EQ(repeat_command(test), repeat_command(order_test()));
}

}  // namespace
}  // namespace isoenv
