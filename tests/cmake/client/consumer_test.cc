// A suite of a project that uses the client library, in the C++ that it asks for at least.
#include <gtest/gtest.h>
#include <isoenv/environment.h>

TEST(ConsumerTest, FindsItsService) {
  const isoenv::Environment environment = isoenv::Environment::current();
  const isoenv::Service idle = environment.service("idle");
  idle.wait_ready();
  EXPECT_GT(idle.pid(), 0);
}
