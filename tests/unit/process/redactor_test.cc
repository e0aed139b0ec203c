#include "process/redactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace isoenv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const Secrets> secrets_of(const std::vector<std::string>& values) {
  return std::make_shared<const Secrets>(values);
}

/// What comes out of a stream of these chunks.
std::string streamed(const std::shared_ptr<const Secrets>& secrets,
                     const std::vector<std::string_view>& chunks) {
  Redactor redactor(secrets);
  std::string text;
  for (const std::string_view chunk : chunks) text += redactor.feed(chunk);
  text += redactor.finish();
  return text;
}

/// By the definition: every byte of every occurrence is masked, bytes in a row by one mask.
std::string masked(const std::vector<std::string>& secrets, const std::string& text) {
  std::vector<bool> covered(text.size(), false);
  for (const std::string& secret : secrets) {
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; ++at) {
      std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(at), secret.size(), true);
    }
  }
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!covered[i]) {
      result += text[i];
    } else if (i == 0 || !covered[i - 1]) {
      result += "***";
    }
  }
  return result;
}

TEST(SecretsTest, AreTheLinesOfAValueWithoutBlanksAtTheirEnds) {
  EXPECT_THAT(Secrets::pieces("token"), ElementsAre("token"));
  EXPECT_THAT(Secrets::pieces("  token\r\n"), ElementsAre("token"));
  EXPECT_THAT(Secrets::pieces("-----BEGIN-----\nabc\n    \nMIIB=\n"),
              ElementsAre("-----BEGIN-----", "MIIB="));
  EXPECT_THAT(Secrets::pieces("two words"), ElementsAre("two words"));
}

TEST(SecretsTest, AreNotWhatIsTooShortToMask) {
  EXPECT_THAT(Secrets::pieces(""), IsEmpty());
  EXPECT_THAT(Secrets::pieces("abc"), IsEmpty());
  EXPECT_THAT(Secrets::pieces("     \n \n"), IsEmpty());
  EXPECT_THAT(Secrets::pieces("abc\ndef\n"), IsEmpty());
  EXPECT_THAT(Secrets::pieces("abcd"), ElementsAre("abcd"));
}

TEST(SecretsTest, AreMaskedWhereverTheyStand) {
  const Secrets secrets({"hunter2", "s3cr3t"});
  EXPECT_EQ(secrets.redact("hunter2"), "***");
  EXPECT_EQ(secrets.redact("a hunter2, ahunter2b s3cr3t\n"), "a ***, a***b ***\n");
  EXPECT_EQ(secrets.redact("hunter2s3cr3t hunter"), "*** hunter");
  EXPECT_EQ(secrets.redact("nothing here"), "nothing here");
  EXPECT_EQ(secrets.redact(""), "");
}

TEST(SecretsTest, AreMaskedWithTheirPiecesInTextThatWasCut) {
  const Secrets secrets({"hunter2"});
  EXPECT_EQ(secrets.redact_cut("it is hunt"), "it is ***");
  EXPECT_EQ(secrets.redact_cut("it is hunter2"), "it is ***");
  EXPECT_EQ(secrets.redact_cut("it is hun"), "it is hun");
  EXPECT_EQ(secrets.redact("it is hunt"), "it is hunt");
}

TEST(SecretsTest, MayBeNone) {
  EXPECT_TRUE(Secrets().empty());
  EXPECT_TRUE(Secrets(std::vector<std::string>{"abc"}).empty());
  EXPECT_EQ(Secrets().redact("text"), "text");
  EXPECT_EQ(Secrets().redact_cut("text"), "text");
}

TEST(SecretsTest, MayHoldAnyByte) {
  const std::string bytes("\x00\xff*\x1b\xe9", 5);
  const Secrets secrets({bytes});
  EXPECT_EQ(secrets.redact("a" + bytes + "b" + bytes.substr(0, 4)), "a***b" + bytes.substr(0, 4));
}

TEST(RedactorTest, CopiesNothingWhenThereIsNothingToMask) {
  Redactor without;
  Redactor with(secrets_of({"hunter2"}));
  const std::string_view chunk = "some h text\n";
  EXPECT_EQ(without.feed(chunk).data(), chunk.data());
  EXPECT_EQ(with.feed(chunk).data(), chunk.data());
}

TEST(RedactorTest, FindsASecretThatIsSplitAnywhere) {
  const std::vector<std::string> values{"hunter2", "hunting", "unt", "2hun", "ter2hunt"};
  const std::vector<std::string> long_enough{"hunter2", "hunting", "2hun", "ter2hunt"};
  const auto secrets = secrets_of(values);
  const std::string text = "xhunter2hunting hunter hhunter2\nhuntinghunte";
  const std::string expected = masked(long_enough, text);
  EXPECT_EQ(streamed(secrets, {text}), expected);
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (std::size_t j = i; j <= text.size(); ++j) {
      const std::string_view view = text;
      ASSERT_EQ(streamed(secrets, {view.substr(0, i), view.substr(i, j - i), view.substr(j)}),
                expected)
          << "split at " << i << " and " << j;
    }
  }
}

TEST(RedactorTest, AgreesWithTheDefinitionOnSecretsThatOverlap) {
  std::mt19937 random(3);
  const auto word = [&](std::size_t least, std::size_t most) {
    std::string text(least + random() % (most - least + 1), ' ');
    for (char& letter : text) letter = "ab"[random() % 2];
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    const std::vector<std::string> values{word(4, 6), word(4, 9), word(4, 12)};
    const auto secrets = secrets_of(values);
    const std::string text = word(0, 60);
    std::vector<std::string_view> chunks;
    for (std::size_t at = 0; at < text.size();) {
      chunks.push_back(std::string_view(text).substr(at, 1 + random() % 7));
      at += chunks.back().size();
    }
    ASSERT_EQ(streamed(secrets, chunks), masked(values, text))
        << text << ": " << values[0] << ", " << values[1] << ", " << values[2];
  }
}

TEST(RedactorTest, HoldsBackOnlyWhatMayBeTheBeginningOfASecret) {
  Redactor redactor(secrets_of({"hunter2"}));
  EXPECT_EQ(redactor.feed("password? hun"), "password? ");
  EXPECT_EQ(redactor.feed("ger"), "hunger");
  EXPECT_EQ(redactor.feed("hunter"), "");
  EXPECT_EQ(redactor.feed("\n"), "hunter\n");
  EXPECT_EQ(redactor.feed("hunter2"), "***");
  EXPECT_EQ(redactor.feed("hunt"), "");
  EXPECT_EQ(redactor.finish(), "hunt");
  EXPECT_EQ(redactor.finish(), "");
}

TEST(RedactorTest, MasksOneLongRunOnce) {
  Redactor redactor(secrets_of({"aaaa"}));
  std::string text;
  for (int i = 0; i < 1000; ++i) text += redactor.feed("aaaaaaa");
  text += redactor.feed("b");
  EXPECT_EQ(text, "***b");
}

}  // namespace
}  // namespace isoenv
