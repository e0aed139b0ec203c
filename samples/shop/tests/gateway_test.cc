// What the gateway promises to the world outside the shop.
#include <gtest/gtest.h>

#include "http_client.h"

namespace shop {
namespace {

using nlohmann::json;

TEST(GatewayTest, LeadsToUser) {
  const Reply reply = get(kGateway, "/users/linus");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body["name"], "Linus Torvalds");
}

TEST(GatewayTest, LeadsToOrder) {
  const Reply placed =
      post(kGateway, "/orders", {{"user", "linus"}, {"item", "tux"}, {"quantity", 3}});
  ASSERT_EQ(placed.status, 201U) << placed.body;
  // The order is really in `order`, and not something the gateway made up.
  EXPECT_EQ(get(kOrder, "/orders/" + placed.body["id"].dump()).body, placed.body);
}

TEST(GatewayTest, KeepsTheQueryOfARequest) {
  post(kGateway, "/orders", {{"user", "linus"}, {"item", "tux"}, {"quantity", 1}});
  const Reply reply = get(kGateway, "/orders?user=linus");
  ASSERT_EQ(reply.status, 200U);
  ASSERT_FALSE(reply.body.empty());
  for (const json& order : reply.body) EXPECT_EQ(order["user"], "linus");
}

TEST(GatewayTest, PassesARefusalOnUnchanged) {
  const Reply direct = get(kUser, "/users/nobody");
  const Reply through = get(kGateway, "/users/nobody");
  EXPECT_EQ(direct.status, 404U);
  EXPECT_EQ(through.status, direct.status);
  EXPECT_EQ(through.body, direct.body);
}

TEST(GatewayTest, ReportsTheHealthOfBothServices) {
  const Reply reply = get(kGateway, "/health");
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body["user"], "ok");
  EXPECT_EQ(reply.body["order"], "ok");
}

TEST(GatewayTest, RefusesAPathItDoesNotRoute) {
  EXPECT_EQ(get(kGateway, "/").status, 404U);
  EXPECT_EQ(get(kGateway, "/userspace").status, 404U);
}

}  // namespace
}  // namespace shop
