#include "plan/render.h"

#include <gtest/gtest.h>

#include "plan/addressing.h"
#include "unit/plan/plan_case.h"

namespace isoenv {
namespace {

/// Renders texts as `order` sees them; `user` and `none` stand beside it.
class RenderTest : public testing::Test {
 protected:
  RenderTest() {
    spec_ = spec_of(
        R"("order": {"command": ["x"], "ports": {"http": 3000, "stats": "8125/udp"}},
           "user": {"command": ["x"], "ports": {"stats": "8125/udp", "http": 8080, "admin": 81}},
           "none": {"command": ["x"]},
           "dns": {"command": ["x"], "ports": {"dns": "53/udp"}})");
    spec_.lines = {"/bin/{{self.name}}", "", "with \"quotes\""};
    ports_ = assign_ports(spec_, case_options(), faults_);
  }

  std::string render(const std::string& text) {
    return Renderer(spec_, ports_, options_, faults_).render(text, 0, "here");
  }
  std::string value(const std::string& text) {
    std::string result = render(text);
    EXPECT_EQ(isoenv::render("", faults_), "") << text;
    return result;
  }
  std::string fault(const std::string& text) {
    faults_.clear();
    render(text);
    std::string all = isoenv::render("", faults_);
    faults_.clear();
    return all;
  }

  EnvironmentSpec spec_;
  std::vector<Diagnostic> faults_;
  std::vector<std::vector<PortPlan>> ports_;
  PlanOptions options_ = case_options();
};

TEST_F(RenderTest, LeavesTextWithoutTemplatesAlone) {
  for (const char* text : {"", "plain", "{", "}", "}}", "{a}", "${HOME}", "a } } b", "{ {"}) {
    EXPECT_EQ(value(text), text);
  }
}

TEST_F(RenderTest, KnowsTheServiceItself) {
  EXPECT_EQ(value("{{self.name}}"), "order");
  EXPECT_EQ(value("{{self.host}}"), "order");
  EXPECT_EQ(value("{{self.port}}"), "3000");
  EXPECT_EQ(value("{{self.port.stats}}"), "8125");
  EXPECT_EQ(value("{{self.url}}"), "http://order:3000");
  EXPECT_EQ(value("{{self.url.http}}"), "http://order:3000");
  EXPECT_EQ(value("{{self.dir}}"), "/art/order");
  EXPECT_EQ(value("{{self.tmp}}"), "/tmp/order");
}

TEST_F(RenderTest, KnowsOtherServices) {
  EXPECT_EQ(value("{{user.host}}"), "user");
  EXPECT_EQ(value("{{user.port}}"), "8125");
  EXPECT_EQ(value("{{user.port.admin}}"), "81");
  EXPECT_EQ(value("{{user.url}}"), "http://user:8080");
  EXPECT_EQ(value("{{user.url.admin}}"), "http://user:81");
  EXPECT_EQ(value("{{order.host}}"), "order");
}

TEST_F(RenderTest, PutsSeveralValuesIntoOneText) {
  EXPECT_EQ(value("-l {{self.port}}:{{user.port.http}}{{user.host}}!"), "-l 3000:8080user!");
}

TEST_F(RenderTest, PutsLinesInAsTheyAre) {
  EXPECT_EQ(value("{{line.1}}"), "/bin/{{self.name}}");
  EXPECT_EQ(value("[{{line.2}}]"), "[]");
  EXPECT_EQ(value("{{line.3}}"), "with \"quotes\"");
}

TEST_F(RenderTest, TakesFourBracesForTwo) {
  EXPECT_EQ(value("{{{{"), "{{");
  EXPECT_EQ(value("{{{{self.name}}"), "{{self.name}}");
  EXPECT_EQ(value("{{{{{{self.name}}}}"), "{{order}}");
  EXPECT_EQ(value("{{{{{{{{"), "{{{{");
}

TEST_F(RenderTest, RefusesAnUnknownService) {
  EXPECT_EQ(fault("{{usr.host}}"),
            "here: '{{usr.host}}' names no service: 'usr'; did you mean '{{user.host}}'?");
  EXPECT_EQ(fault("{{User.port.http}}"),
            "here: '{{User.port.http}}' names no service: 'User'; did you mean "
            "'{{user.port.http}}'?");
  EXPECT_EQ(fault("{{database}}"),
            "here: '{{database}}' names no service: 'database'; expected one of self, line, order, "
            "user, none, dns, or write '{{{{' for a literal '{{'");
}

TEST_F(RenderTest, RefusesWhatAServiceDoesNotHave) {
  EXPECT_EQ(fault("{{user.prot}}"),
            "here: '{{user.prot}}' asks for nothing that is known of 'user'; did you mean "
            "'{{user.port}}'?");
  EXPECT_EQ(fault("{{user.tmp}}"),
            "here: '{{user.tmp}}' asks for nothing that is known of 'user'; expected one of host, "
            "dir, port, url");
  EXPECT_EQ(fault("{{self}}"),
            "here: '{{self}}' asks for nothing that is known of 'self'; expected one of host, "
            "dir, port, url, name, tmp");
  EXPECT_EQ(fault("{{user.host.x}}"),
            "here: '{{user.host.x}}' has a word too many; write '{{user.host}}'");
  EXPECT_EQ(fault("{{self.port.http.x}}"),
            "here: '{{self.port.http.x}}' has a word too many; write '{{self.port.http}}'");
}

TEST_F(RenderTest, RefusesUnknownPorts) {
  EXPECT_EQ(fault("{{user.port.htp}}"),
            "here: '{{user.port.htp}}' names no port of 'user'; did you mean "
            "'{{user.port.http}}'?");
  EXPECT_EQ(fault("{{self.url.grpc}}"),
            "here: '{{self.url.grpc}}' names no port of 'order'; expected one of http, stats");
  EXPECT_EQ(fault("{{none.port}}"),
            "here: '{{none.port}}' needs a port, and 'none' has none; declare it under 'ports'");
}

TEST_F(RenderTest, RefusesUrlsOfUdpPorts) {
  EXPECT_EQ(fault("{{user.url.stats}}"),
            "here: '{{user.url.stats}}' needs a TCP port: a UDP port has no URL");
  EXPECT_EQ(fault("{{dns.url}}"), "here: '{{dns.url}}' needs a TCP port: a UDP port has no URL");
}

TEST_F(RenderTest, RefusesUnknownLines) {
  for (const char* word : {"0", "4", "x", "", "-1", "99999999999999999999"}) {
    const std::string text = "{{line." + std::string(word) + "}}";
    EXPECT_EQ(fault(text), "here: '" + text + "' names no line; the lines are 1 to 3");
  }
  EXPECT_EQ(fault("{{line}}"), "here: '{{line}}' names no line; the lines are 1 to 3");
  spec_.lines.clear();
  EXPECT_EQ(fault("{{line.1}}"),
            "here: '{{line.1}}' names no line; the spec has no 'lines', or its file is empty");
}

TEST_F(RenderTest, RefusesATemplateThatIsNotClosed) {
  EXPECT_EQ(fault("a {{self.port"),
            "here: '{{' is never closed with '}}'; write '{{{{' for a literal '{{'");
  EXPECT_EQ(fault("{{{{ {{"),
            "here: '{{' is never closed with '}}'; write '{{{{' for a literal '{{'");
}

TEST_F(RenderTest, RefusesOtherTemplateLanguages) {
  EXPECT_EQ(fault("{{ self.port }}"),
            "here: '{{ self.port }}' is not a template; write '{{self.port}}'");
  EXPECT_EQ(fault("{{.Names}}"),
            "here: '{{.Names}}' is not a template; write '{{{{' for a literal '{{'");
  EXPECT_EQ(fault("{{}}"), "here: '{{}}' is not a template; write '{{{{' for a literal '{{'");
  EXPECT_EQ(fault("{{a|b\n}}"),
            "here: '{{a|b\\n}}' is not a template; write '{{{{' for a literal '{{'");
}

TEST_F(RenderTest, ReportsEveryFaultOfOneText) {
  EXPECT_EQ(fault("{{usr.host}} {{self.prot}}"),
            "here: '{{usr.host}}' names no service: 'usr'; did you mean '{{user.host}}'?\n"
            "here: '{{self.prot}}' asks for nothing that is known of 'self'; did you mean "
            "'{{self.port}}'?");
}

}  // namespace
}  // namespace isoenv
