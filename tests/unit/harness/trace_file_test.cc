#include "harness/trace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "scoped_variable.h"
#include "support/temp_dir.h"

namespace isoenv::test {
namespace {

using std::chrono::nanoseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

Clock::TimePoint at(std::int64_t ns) { return Clock::TimePoint(nanoseconds(ns)); }

std::vector<TraceSpan> some_spans() {
  return {{"services", "db", "start", at(5'000'000), at(9'000'500)},
          {"services", "db", "waits", at(5'000'000), at(5'000'000)},
          {"services", "db", "plan", at(5'000'000), at(7'000'999)},
          {"services", "db", "ready", at(7'000'999), at(9'000'500)},
          {"services", "db", "ready", at(9'000'500), at(20'000'000)},
          {"isoenv", "keeper", "start", at(1'000'000), at(4'000'000)},
          {"services", "db", "paused by \"test\"", at(10'000'000), std::nullopt}};
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<Json> events(const Json& trace, const std::string& phase) {
  std::vector<Json> found;
  for (const Json& event : trace.at("traceEvents")) {
    if (event.at("ph") == phase) found.push_back(event);
  }
  return found;
}

TEST(TraceTest, HasAnEventForEachSpanInMicrosecondsFromTheFirst) {
  const Json trace = Json::parse(trace_json(some_spans()));
  const std::vector<Json> complete = events(trace, "X");
  ASSERT_EQ(complete.size(), 6U);
  EXPECT_EQ(complete[0].at("name"), "start");
  EXPECT_EQ(complete[0].at("ts"), 0);
  EXPECT_EQ(complete[0].at("dur"), 3000);
  EXPECT_EQ(complete[3].at("name"), "plan");
  EXPECT_EQ(complete[3].at("ts"), 4000);
  EXPECT_EQ(complete[3].at("dur"), 2000);
  const std::vector<Json> instants = events(trace, "i");
  ASSERT_EQ(instants.size(), 1U);
  EXPECT_EQ(instants[0].at("name"), "paused by \"test\"");
  EXPECT_EQ(instants[0].at("ts"), 9000);
  EXPECT_EQ(instants[0].at("s"), "t");
}

TEST(TraceTest, NamesGroupsAndTracks) {
  const Json trace = Json::parse(trace_json(some_spans()));
  std::map<std::string, std::string> names;
  for (const Json& event : events(trace, "M")) {
    const std::string key = event.at("name");
    const std::string place = std::to_string(event.at("pid").get<int>()) + "/" +
                              std::to_string(event.at("tid").get<int>());
    if (key.ends_with("_name")) names[key + " " + place] = event.at("args").at("name");
  }
  EXPECT_EQ(names.at("process_name 1/0"), "services");
  EXPECT_EQ(names.at("thread_name 1/1"), "db");
  EXPECT_EQ(names.at("process_name 2/0"), "isoenv");
  EXPECT_EQ(names.at("thread_name 2/2"), "keeper");
  EXPECT_EQ(names.size(), 4U);
}

TEST(TraceTest, EventsAreInTheirOrderAndWhatIsAroundStandsFirst) {
  const Json trace = Json::parse(trace_json(some_spans()));
  std::int64_t last = 0;
  std::vector<std::string> names;
  for (const Json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "M") continue;
    EXPECT_GE(event.at("ts").get<std::int64_t>(), last);
    last = event.at("ts");
    names.push_back(event.at("name"));
  }
  EXPECT_THAT(names, ElementsAre("start", "start", "waits", "plan", "ready", "ready",
                                 "paused by \"test\""));
}

TEST(TraceTest, SpansThatMeetStillMeet) {
  std::vector<TraceSpan> spans{{"services", "db", "start", at(0), at(3'001'999)}};
  for (std::int64_t begin = 0; begin < 3'000'000; begin += 1'000'333) {
    spans.push_back({"services", "db", "phase", at(begin), at(begin + 1'000'333)});
  }
  const std::vector<Json> complete = events(Json::parse(trace_json(spans)), "X");
  std::int64_t end = 0;
  for (std::size_t i = 1; i < complete.size(); ++i) {
    EXPECT_EQ(complete[i].at("ts"), end);
    end = complete[i].at("ts").get<std::int64_t>() + complete[i].at("dur").get<std::int64_t>();
  }
  EXPECT_LE(end, complete[0].at("dur"));
}

TEST(TraceTest, OfNothingIsATrace) {
  EXPECT_TRUE(Json::parse(trace_json({})).at("traceEvents").empty());
}

TEST(TraceTest, IsAskedForByAVariable) {
  const ScopedVariable unset("ISOENV_TRACE", std::nullopt);
  EXPECT_FALSE(wants_trace());
  for (const auto& [value, wanted] :
       std::map<std::string, bool>{{"", false}, {"0", false}, {"1", true}, {"on", true}}) {
    const ScopedVariable set("ISOENV_TRACE", value);
    EXPECT_EQ(wants_trace(), wanted) << value;
  }
}

class TraceFileTest : public ::testing::Test {
 protected:
  std::string refusal(const std::filesystem::path& path) {
    try {
      const TraceFile file(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      return error.what();
    }
    return "not refused";
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(dir_.path()), {}));
  }

  TempDir dir_;
};

TEST_F(TraceFileTest, IsThereOnlyWhenItIsWritten) {
  const TraceFile file(dir_.path() / "t.json");
  EXPECT_EQ(files(), 0U);
  file.write(some_spans());
  EXPECT_EQ(text_of(dir_.path() / "t.json"), trace_json(some_spans()));
  EXPECT_EQ(files(), 1U);
}

TEST_F(TraceFileTest, ReplacesAnotherWhole) {
  const std::filesystem::path path = dir_.path() / "t.json";
  std::ofstream(path) << std::string(100'000, 'x');
  const std::ifstream reader(path);  // has the old one, whole
  const TraceFile file(path);
  file.write({});
  EXPECT_EQ(text_of(path), trace_json({}));
  EXPECT_EQ(files(), 1U);
}

TEST_F(TraceFileTest, GoesWhereALinkLeads) {
  std::ofstream(dir_.path() / "t.json") << "old";
  std::filesystem::create_symlink("t.json", dir_.path() / "link");
  TraceFile(dir_.path() / "link").write({});
  EXPECT_TRUE(std::filesystem::is_symlink(dir_.path() / "link"));
  EXPECT_EQ(text_of(dir_.path() / "t.json"), trace_json({}));
}

TEST_F(TraceFileTest, IsRefusedWhereItCannotBeWritten) {
  EXPECT_THAT(refusal(dir_.path() / "none" / "t.json"), HasSubstr("there is no folder"));
  EXPECT_THAT(refusal(dir_.path()), HasSubstr("it is there, and is no file"));
  EXPECT_THAT(refusal("/dev/null"), HasSubstr("it is there, and is no file"));
  EXPECT_THAT(refusal(dir_.path() / "none/"), HasSubstr("cannot be written"));
  EXPECT_THAT(refusal("/proc/t.json"), HasSubstr("cannot be written"));
  std::filesystem::create_symlink("nowhere", dir_.path() / "link");
  EXPECT_THAT(refusal(dir_.path() / "link"), HasSubstr("leads nowhere"));
}

}  // namespace
}  // namespace isoenv::test
