// What the service order promises. The suite OrderTest may share its shop with other tests; the
// suite FreshShopTest wants a shop nobody has ordered from.
#include <gtest/gtest.h>

#include "http_client.h"

namespace shop {
namespace {

using nlohmann::json;

TEST(OrderTest, ListensOnTheSamePortAsUser) {
  EXPECT_EQ(kUser.port, kOrder.port);
  EXPECT_EQ(get(kUser, "/health").body["service"], "user");
  EXPECT_EQ(get(kOrder, "/health").body["service"], "order");
}

TEST(OrderTest, AsksUserWhoTheCustomerIs) {
  const Reply placed = post(kOrder, "/orders", {{"user", "ada"}, {"item", "tea"}, {"quantity", 2}});
  ASSERT_EQ(placed.status, 201U) << placed.body;
  EXPECT_EQ(placed.body["customer"], "Ada Lovelace");

  const Reply read = get(kOrder, "/orders/" + placed.body["id"].dump());
  EXPECT_EQ(read.status, 200U);
  EXPECT_EQ(read.body, placed.body);
}

TEST(OrderTest, RefusesACustomerUserDoesNotKnow) {
  const Reply reply =
      post(kOrder, "/orders", {{"user", "nobody"}, {"item", "tea"}, {"quantity", 1}});
  EXPECT_EQ(reply.status, 422U);
  EXPECT_EQ(reply.body["error"], "no user \"nobody\"");
}

TEST(OrderTest, RefusesAQuantityThatIsNotAWholeNumberFromOne) {
  for (const json& quantity : {json(0), json(-1), json(1.5), json("2"), json(nullptr)}) {
    const Reply reply =
        post(kOrder, "/orders", {{"user", "ada"}, {"item", "tea"}, {"quantity", quantity}});
    EXPECT_EQ(reply.status, 400U) << quantity;
  }
}

TEST(OrderTest, RefusesABodyThatIsNotJson) {
  const Reply reply = send(kOrder, boost::beast::http::verb::post, "/orders", "two teas, please");
  EXPECT_EQ(reply.status, 400U);
}

TEST(FreshShopTest, HasItsUsersBeforeOrderStarts) {
  const json expected = json::array({{{"id", "ada"}, {"name", "Ada Lovelace"}},
                                     {{"id", "grace"}, {"name", "Grace Hopper"}},
                                     {{"id", "linus"}, {"name", "Linus Torvalds"}}});
  EXPECT_EQ(get(kUser, "/users").body, expected);
}

TEST(FreshShopTest, HasNoOrdersAndNumbersThemFromOne) {
  EXPECT_EQ(get(kOrder, "/orders").body, json::array());
  const json order{{"user", "grace"}, {"item", "coffee"}, {"quantity", 1}};
  EXPECT_EQ(post(kOrder, "/orders", order).body["id"], 1);
  EXPECT_EQ(post(kOrder, "/orders", order).body["id"], 2);
}

}  // namespace
}  // namespace shop
