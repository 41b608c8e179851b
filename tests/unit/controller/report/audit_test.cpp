#include "controller/report/audit.h"

#include <capnp/message.h>
#include <nlohmann/json.hpp>

#include "common/wire/message.h"
#include "schema/zfs.capnp.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

const Instant now = instant_of(1790000000000);

Message<schema::Facts> pools() {
  return must(Message<schema::Facts>::from_json(R"({"auditZfs": {
    "pools": [{"name": "datapool", "guid": "13093094567654321987", "health": "ONLINE"}],
    "features": [{"pool": "datapool", "state": "active", "names": ["a", "b"]}]}})"));
}

std::vector<SectionView> views(const Message<schema::Facts>& facts) {
  return {{.section = "zfs",
           .agent = "z640",
           .outcome = "succeeded",
           .taken_at = now - std::chrono::minutes(5),
           .facts = findings_of(facts.reader())},
          {.section = "pbs", .agent = "z640", .outcome = "no answer", .failure = "unreachable"}};
}

}  // namespace

TEST_CASE("audit: the overview says first whether all was read", "[controller][report]") {
  const auto facts = pools();

  const auto text = render_audit(views(facts), {}, now);

  CHECK(text.starts_with(R"(1 of 2 sections NOT READ WHOLE, marked (!)

section  agent  result         found                  taken at
zfs      z640   succeeded      1 pool, 1 feature      2026-09-21T14:08:20Z (5 min 0 s ago)
pbs      z640   no answer (!)  no facts: unreachable  never

=== zfs on z640 ===
)"));
  CHECK(text.ends_with("\n=== pbs on z640 ===\nno answer: unreachable\nno facts\n"));
}

TEST_CASE("audit: a section that is absent is no gap, but is not passed over in silence",
          "[controller][report]") {
  const auto facts = must(Message<schema::Facts>::from_json(
      R"({"auditZfs": {"coverage": {"absent": "no zpool on this machine"}}})"));

  const auto text = render_audit({views(facts)[0]}, {}, now);

  CHECK(text.starts_with("all 1 section read whole, 1 of them absent from their machines\n"));
  CHECK(text.find("absent: no zpool on this machine  2026") != std::string::npos);
}

TEST_CASE("audit: no sections are not a clean audit", "[controller][report]") {
  CHECK(render_audit({}, {}, now) == "no section of the audit was taken\n");
}

TEST_CASE("audit: a section is whole only with facts, success and no problems",
          "[controller][report]") {
  const auto facts = pools();
  const auto broken = must(Message<schema::Facts>::from_json(
      R"({"auditZfs": {"coverage": {"problems": [{"part": "zpool", "why": "it hangs"}]}}})"));
  const auto whole = views(facts)[0];
  auto failed = whole;
  failed.outcome = "failed";
  auto without = whole;
  without.facts.reset();
  auto holes = whole;
  holes.facts = findings_of(broken.reader());

  CHECK(is_whole(whole));
  CHECK_FALSE(is_whole(failed));
  CHECK_FALSE(is_whole(without));
  CHECK_FALSE(is_whole(holes));
}

TEST_CASE("audit: its JSON is JSON, with whole numbers and both agents of a section",
          "[controller][report]") {
  const auto facts = pools();
  auto sections = views(facts);
  sections.push_back(sections[0]);
  sections[2].agent = "other\x1b[2J\u009b";

  const auto text = audit_json(sections);
  const auto json = nlohmann::json::parse(text);

  REQUIRE(json["zfs"].size() == 2);
  CHECK(json["zfs"][0]["facts"]["pools"][0]["guid"] == "13093094567654321987");
  CHECK(json["zfs"][0]["taken_at"] == "2026-09-21T14:08:20Z");
  CHECK(json["zfs"][1]["agent"] == "other\x1b[2J\u009b");
  CHECK(json["pbs"][0]["facts"].is_null());
  CHECK(json["pbs"][0]["failure"] == "unreachable");
  CHECK(std::ranges::all_of(
      text, [](char byte) { return byte == '\n' || (byte >= ' ' && byte < 0x7F); }));
}

TEST_CASE("audit: its JSON brings back every control character of the facts",
          "[controller][report]") {
  Draft<schema::Facts> draft;
  draft->initAuditZfs().setToolVersion("\x1b[2J\x7f\u009b\"\\");
  const auto facts = std::move(draft).finish();

  const auto json = nlohmann::json::parse(audit_json(views(facts)));

  CHECK(json["zfs"][0]["facts"]["toolVersion"] == "\x1b[2J\x7f\u009b\"\\");
}

TEST_CASE("audit: facts of no kind are no findings", "[controller][report]") {
  CHECK_FALSE(findings_of(must(Message<schema::Facts>::from_json("{}")).reader()).has_value());
}

}  // namespace relab::controller
