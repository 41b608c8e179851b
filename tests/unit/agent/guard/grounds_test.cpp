// What an order that destroys must bring along, whoever signed it.

#include "agent/guard/guard.h"
#include "common/needs/approval.h"
#include "tests/support/must.h"

namespace relab::agent {

namespace {

using schema::Refusal;
using std::chrono::hours;

crypto::Keys fixed_keys(std::uint8_t seed) {
  crypto::start();
  return must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
}

const Instant now = instant_of(1'790'000'000'000);

/// Everything that an order to wipe a disk rests on, all well; each test spoils one thing.
struct Case {
  crypto::Keys controller = fixed_keys(1);
  crypto::Keys agent = fixed_keys(2);
  crypto::Keys stranger = fixed_keys(3);
  RoleLimits role = must(RoleLimits::parse(R"({"name": "probe", "kinds": ["ping", "wipeDisk"]})"));

  // The report that is brought.
  const crypto::Keys* reporter = &agent;
  std::string machine = "m1";
  std::string facts = R"({"auditDisks": {"disks": [{"name": "sdb", "serial": "OLD1"}]}})";
  schema::Outcome outcome = schema::Outcome::SUCCEEDED;
  Instant looked = now - hours(1);
  bool is_newest = true;
  bool wiped_since = false;
  Instant issued = now;
  unsigned reports = 1;
  // The approval.
  const crypto::Keys* approver = &controller;
  std::string approved_step = "2/t/wipe";
  std::string approved_serial = "OLD1";
  std::string approved_host = "pve";
  std::string approved_lab = "home";
  Instant approved_until = now;
  bool on_this_evidence = true;
  bool evidence_digest_fits = true;
  const crypto::Keys* approved_for = &agent;
  // The order.
  schema::Mode mode = schema::Mode::APPLY;

  Message<schema::Envelope> report() const {
    Draft<schema::Report> draft;
    draft->setLab("home");
    draft->setMachineId(machine);
    draft->setOutcome(outcome);
    draft->setStartedAt(unix_millis(looked));
    draft->setMode(schema::Mode::APPLY);
    draft->setFacts(must(Message<schema::Facts>::from_json(facts)).reader());
    return sign(*reporter, std::move(draft).finish());
  }
  Message<schema::Envelope> approval(const crypto::Digest& evidence) const {
    Draft<schema::Approval> draft;
    draft->setLab(approved_lab);
    draft->setNotAfter(unix_millis(approved_until));
    draft->initTyped(1).set(0, approved_host);
    auto step = draft->initSteps(1)[0];
    step.setStep(approved_step);
    step.setAudience(blob(approved_for->sign_key()));
    Draft<schema::Task> task;
    task->initWipeDisk().setSerial(approved_serial);
    step.setTaskDigest(blob(needs::digest_of(task->asReader())));
    step.initEvidence(1).set(0, blob(on_this_evidence ? evidence : crypto::Digest{1}));
    draft->setEvidenceDigest(blob(evidence_digest_fits
                                      ? needs::digest_of_evidence(draft->asReader().getSteps())
                                      : crypto::Digest{1}));
    return sign(*approver, std::move(draft).finish());
  }
  Refused check() const {
    const auto envelope = report();
    const auto digest = payload_digest(envelope.bytes());
    Draft<schema::Order> order;
    order->setIssuedAt(unix_millis(issued));
    order->setMode(mode);
    order->setStep("2/t/wipe");
    order->initTask().initWipeDisk().setSerial("OLD1");
    auto evidence = order->initEvidence(reports);
    for (unsigned i = 0; i < reports; ++i) evidence.set(i, blob(envelope.bytes()));
    order->setApproval(blob(approval(digest).bytes()));
    return check_grounds(
        order->asReader(),
        {.lab = "home",
         .name = "pve",
         .machine_id = "m1",
         .keys = agent,
         .nonce = {},
         .role = role,
         .now = now,
         .known = {},
         .pinned = [&](const auto& key) { return key == controller.sign_key(); },
         .newest_report =
             [&](std::string_view arm, std::string_view resource) {
               CHECK(arm == "auditDisks");
               CHECK(resource == "disk OLD1");
               return std::optional(Newest{.digest = is_newest ? digest : crypto::Digest{7},
                                           .outdated = wiped_since});
             }});
  }
};

}  // namespace

TEST_CASE("grounds: what is proven and approved may begin", "[agent][guard]") {
  const auto verdict = Case().check();

  CHECK(verdict.reason == Refusal::NONE);
  CHECK(verdict.what.empty());
}

TEST_CASE("grounds: a check needs none", "[agent][guard]") {
  Case check;
  check.mode = schema::Mode::CHECK;
  check.reports = 0;
  check.approver = &check.stranger;

  CHECK(check.check().reason == Refusal::NONE);
}

TEST_CASE("grounds: no report of another agent, machine, time or content counts",
          "[agent][guard]") {
  Case spoilt;
  SECTION("none") { spoilt.reports = 0; }
  SECTION("too many") { spoilt.reports = 2; }
  SECTION("by the controller itself") { spoilt.reporter = &spoilt.controller; }
  SECTION("by another agent") { spoilt.reporter = &spoilt.stranger; }
  SECTION("of another machine") { spoilt.machine = "m2"; }
  SECTION("there is a newer one") { spoilt.is_newest = false; }
  SECTION("of what was wiped since") { spoilt.wiped_since = true; }
  SECTION("too old") { spoilt.looked -= Millis(1); }
  SECTION("from the future") { spoilt.looked = now + Millis(1); }
  SECTION("of a failure") { spoilt.outcome = schema::Outcome::FAILED; }
  SECTION("of another kind") { spoilt.facts = R"({"auditZfs": {}})"; }
  SECTION("of another disk") {
    spoilt.facts = R"({"auditDisks": {"disks": [{"name": "sdb", "serial": "OLD2"}]}})";
  }
  SECTION("of a disk that is used") {
    spoilt.facts = R"({"auditDisks": {"disks": [{"name": "sdb", "serial": "OLD1"}],
      "users": [{"disk": "sdb", "device": "sdb1", "kind": "zfs", "name": "tank"}]}})";
  }

  const auto verdict = spoilt.check();

  CHECK(verdict.reason == Refusal::NEED_UNMET);
  CHECK_FALSE(verdict.what.empty());
}

TEST_CASE("grounds: no approval of anything else counts", "[agent][guard]") {
  Case spoilt;
  SECTION("by a stranger") { spoilt.approver = &spoilt.stranger; }
  SECTION("by the agent itself") { spoilt.approver = &spoilt.agent; }
  SECTION("of another step") { spoilt.approved_step = "2/t/other"; }
  SECTION("of another disk") { spoilt.approved_serial = "OLD2"; }
  SECTION("of another lab") { spoilt.approved_lab = "work"; }
  SECTION("for another agent") { spoilt.approved_for = &spoilt.stranger; }
  SECTION("for a host whose name nobody typed") { spoilt.approved_host = "nas"; }
  SECTION("on other evidence") { spoilt.on_this_evidence = false; }
  SECTION("with a digest of other evidence") { spoilt.evidence_digest_fits = false; }
  SECTION("expired") { spoilt.approved_until = now - Millis(1); }
  SECTION("expired long ago, by a controller that says it is earlier") {
    spoilt.approved_until = now - std::chrono::hours(2);
    spoilt.issued = spoilt.approved_until;
  }

  const auto verdict = spoilt.check();

  CHECK(verdict.reason == Refusal::NOT_APPROVED);
  CHECK_FALSE(verdict.what.empty());
}

TEST_CASE("grounds: a journal that does not answer is no consent", "[agent][guard]") {
  const Case well;
  const auto envelope = well.report();
  Draft<schema::Order> order;
  order->setMode(schema::Mode::APPLY);
  order->initTask().initWipeDisk().setSerial("OLD1");
  order->initEvidence(1).set(0, blob(envelope.bytes()));

  const auto verdict = check_grounds(
      order->asReader(),
      {.lab = "home",
       .name = "pve",
       .machine_id = "m1",
       .keys = well.agent,
       .nonce = {},
       .role = well.role,
       .now = now,
       .known = {},
       .pinned = [](const auto& /*key*/) { return true; },
       .newest_report = [](std::string_view /*arm*/, std::string_view /*resource*/)
           -> Result<std::optional<Newest>> { return fail(Fault::damaged, "the disk is gone"); }});

  CHECK(verdict.reason == Refusal::NEED_UNMET);
}

TEST_CASE("grounds: a kind without needs asks for nothing", "[agent][guard]") {
  const Case well;
  Draft<schema::Order> order;
  order->setMode(schema::Mode::APPLY);
  order->initTask().initPing();

  CHECK(check_grounds(order->asReader(), {.lab = "home",
                                          .name = "pve",
                                          .machine_id = "m1",
                                          .keys = well.agent,
                                          .nonce = {},
                                          .role = well.role,
                                          .now = now,
                                          .known = {},
                                          .pinned = {},
                                          .newest_report = {}})
            .reason == Refusal::NONE);
}

}  // namespace relab::agent
