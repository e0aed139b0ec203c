#include "process/init_plan.h"

#include <gmock/gmock.h>

namespace isoenv {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

InitPlan full_plan() {
  InitPlan plan;
  plan.ends_tree = true;
  plan.hostname = "orders";
  plan.own_proc = true;
  plan.own_sys = true;
  plan.protect_settings = true;
  plan.low_ports = true;
  plan.essential_low_ports = true;
  plan.launched_program = "/bin/orders";
  plan.program.executable = "/usr/bin/valgrind";
  plan.program.argv = {"valgrind", "", std::string("a\0b", 3)};
  plan.program.env = {"PATH=/bin", "EMPTY="};
  plan.program.working_directory = "/srv";
  plan.program.stdio = {7, 9, 2};
  plan.program.open_files = 1024;
  plan.program.new_session = true;
  plan.program.dies_with_parent = true;
  plan.program.bound_capabilities = true;
  plan.program.debugs = true;
  plan.program.account = Account{"web", "/home/web", "/bin/sh", 33, 34, {35, 36}};
  plan.program.must_reach = "/tmp/orders";
  Program probe;
  probe.executable = "/bin/true";
  probe.argv = {"true"};
  probe.stdio = {7, 12, 12};
  plan.probes = {probe};
  return plan;
}

void expect_same(const Program& actual, const Program& expected) {
  EXPECT_EQ(actual.executable, expected.executable);
  EXPECT_EQ(actual.argv, expected.argv);
  EXPECT_EQ(actual.env, expected.env);
  EXPECT_EQ(actual.working_directory, expected.working_directory);
  EXPECT_EQ(actual.open_files, expected.open_files);
  EXPECT_EQ(actual.new_session, expected.new_session);
  EXPECT_EQ(actual.dies_with_parent, expected.dies_with_parent);
  EXPECT_EQ(actual.bound_capabilities, expected.bound_capabilities);
  EXPECT_EQ(actual.debugs, expected.debugs);
  EXPECT_EQ(actual.must_reach, expected.must_reach);
  ASSERT_EQ(actual.account.has_value(), expected.account.has_value());
  if (!expected.account) return;
  EXPECT_EQ(actual.account->name, expected.account->name);
  EXPECT_EQ(actual.account->home, expected.account->home);
  EXPECT_EQ(actual.account->shell, expected.account->shell);
  EXPECT_EQ(actual.account->uid, expected.account->uid);
  EXPECT_EQ(actual.account->gid, expected.account->gid);
  EXPECT_EQ(actual.account->groups, expected.account->groups);
}

TEST(InitPlanTest, ComesThroughBytesWhole) {
  const InitPlan plan = full_plan();
  const InitPlan read = decode_init_plan(encode(plan), {3, 4, 5});
  EXPECT_EQ(read.ends_tree, plan.ends_tree);
  EXPECT_EQ(read.hostname, plan.hostname);
  EXPECT_EQ(read.own_proc, plan.own_proc);
  EXPECT_EQ(read.own_sys, plan.own_sys);
  EXPECT_EQ(read.protect_settings, plan.protect_settings);
  EXPECT_EQ(read.low_ports, plan.low_ports);
  EXPECT_EQ(read.essential_low_ports, plan.essential_low_ports);
  EXPECT_EQ(read.launched_program, plan.launched_program);
  expect_same(read.program, plan.program);
  ASSERT_THAT(read.probes, SizeIs(1));
  expect_same(read.probes[0], plan.probes[0]);
}

TEST(InitPlanTest, HasNothingOnWhereItsDefaultIsOff) {
  InitPlan plan;
  plan.program.argv = {"true"};
  const InitPlan read = decode_init_plan(encode(plan), {});
  EXPECT_FALSE(read.ends_tree || read.own_proc || read.own_sys || read.protect_settings ||
               read.low_ports || read.essential_low_ports);
  expect_same(read.program, plan.program);
  EXPECT_THAT(read.probes, SizeIs(0));
}

TEST(InitPlanTest, NamesTheDescriptorsOfItsReader) {
  const InitPlan plan = full_plan();
  EXPECT_THAT(descriptors(plan), ElementsAre(7, 9, 12));
  const InitPlan read = decode_init_plan(encode(plan), {30, 20, 10});
  EXPECT_THAT(read.program.stdio, ElementsAre(30, 20, 2));
  EXPECT_THAT(read.probes.at(0).stdio, ElementsAre(30, 10, 10));
}

}  // namespace
}  // namespace isoenv
