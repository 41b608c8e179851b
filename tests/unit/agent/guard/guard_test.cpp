// Signed orders before the guard: each reason to refuse one, in the order in which it is asked.

#include "agent/guard/guard.h"

#include <capnp/dynamic.h>
#include <cctype>
#include <fmt/format.h>
#include <map>

#include "common/base/file.h"
#include "common/base/text.h"
#include "tests/support/must.h"

namespace relab::agent {

namespace {

using schema::Refusal;

crypto::Keys fixed_keys(std::uint8_t seed) {
  crypto::start();
  return must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
}

const Instant now = instant_of(1'790'000'000'000);
constexpr Nonce nonce = {1, 2, 3};

using Change = void (*)(schema::Order::Builder);

/// An order with nothing wrong with it.
Draft<schema::Order> good_order(const crypto::Keys& agent) {
  Draft<schema::Order> order;
  order->setLab("home");
  order->setRun(blob(Bytes(16, 1)));
  order->setTaskId(blob(Bytes(16, 2)));
  order->setAttempt(1);
  order->setAudience(blob(agent.sign_key()));
  order->setNonce(blob(nonce));
  order->setIssuedAt(unix_millis(now));
  order->setNotAfter(unix_millis(now));
  order->setDeadline(60);
  order->setMode(schema::Mode::APPLY);
  order->getTask().initPing().setEcho("hello");
  order->setStep("0a/track/step");
  return order;
}

struct Guarded {
  crypto::Keys controller = fixed_keys(1);
  crypto::Keys agent = fixed_keys(2);
  RoleLimits role =
      must(RoleLimits::parse(R"({"name": "probe", "kinds": ["ping", "ipAddresses"]})"));

  std::variant<Admission, Denial> check(std::initializer_list<Change> changes) const {
    auto draft = good_order(agent);
    for (const auto change : changes) change(*draft);
    return check_frame(sign(controller, std::move(draft).finish()));
  }
  std::variant<Admission, Denial> check_frame(const Message<schema::Envelope>& frame) const {
    auto opening = open_frame(frame.bytes(), message_size_max,
                              [&](const auto& key) { return key == controller.sign_key(); });
    REQUIRE(opening.opened);
    return check_order(*opening.opened,
                       {.lab = "home",
                        .name = "pve",
                        .machine_id = "m1",
                        .keys = agent,
                        .nonce = nonce,
                        .role = role,
                        .now = now,
                        .known = [](ByteView) { return false; },
                        .pinned = [&](const auto& key) { return key == controller.sign_key(); },
                        .newest_report = [](std::string_view,
                                            std::string_view) { return std::optional<Newest>(); }});
  }
  Denial denied(std::initializer_list<Change> changes) const {
    const auto verdict = check(changes);
    REQUIRE(std::holds_alternative<Denial>(verdict));
    return std::get<Denial>(verdict);
  }
};

// In the order in which the guard asks.
constexpr Change other_audience = [](auto order) { order.setAudience(blob(Bytes(32, 9))); };
constexpr Change other_session = [](auto order) { order.setNonce(blob(Bytes(16, 9))); };
constexpr Change too_late = [](auto order) { order.setNotAfter(unix_millis(now) - 1); };
constexpr Change other_lab = [](auto order) { order.setLab("work"); };
constexpr Change no_task_id = [](auto order) { order.setTaskId({}); };
constexpr Change no_kind = [](auto order) { order.getTask().setUnset(); };
constexpr Change forbidden_kind = [](auto order) { order.getTask().initAuditZfs(); };

}  // namespace

TEST_CASE("guard: an order with nothing wrong is admitted, with its digests", "[agent][guard]") {
  const Guarded guarded;

  const auto verdict = guarded.check({});

  REQUIRE(std::holds_alternative<Admission>(verdict));
  const auto& admission = std::get<Admission>(verdict);
  CHECK(admission.id.bytes == IdBytes{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2});
  CHECK(admission.order_digest == crypto::digest(good_order(guarded.agent).finish().bytes()));
  CHECK(view(admission.order.reader().getTask().getPing().getEcho()) == "hello");
}

TEST_CASE("guard: each thing that is wrong has its reason", "[agent][guard]") {
  const Guarded guarded;
  const auto row = GENERATE(table<Change, Refusal>({
      {other_audience, Refusal::WRONG_AUDIENCE},
      {[](auto order) { order.setAudience({}); }, Refusal::WRONG_AUDIENCE},
      {other_session, Refusal::WRONG_SESSION},
      {[](auto order) { order.setNonce({}); }, Refusal::WRONG_SESSION},
      {too_late, Refusal::EXPIRED},
      {[](auto order) { order.setNotAfter(0); }, Refusal::EXPIRED},
      {other_lab, Refusal::WRONG_LAB},
      {[](auto order) { order.setLab(""); }, Refusal::WRONG_LAB},
      {no_task_id, Refusal::MALFORMED},
      {[](auto order) { order.setTaskId(blob(Bytes(17, 2))); }, Refusal::MALFORMED},
      {[](auto order) { order.setRun({}); }, Refusal::MALFORMED},
      {[](auto order) { order.setMode(schema::Mode::UNSET); }, Refusal::MALFORMED},
      {[](auto order) { order.setDeadline(0); }, Refusal::MALFORMED},
      {no_kind, Refusal::UNKNOWN_KIND},
      {forbidden_kind, Refusal::KIND_FORBIDDEN},
  }));
  const auto& [change, reason] = row;

  const auto denial = guarded.denied({change});

  CHECK(denial.reason == reason);
  CHECK_FALSE(denial.what.empty());
}

TEST_CASE("guard: a change that may cut the agent off has its time to be confirmed",
          "[agent][guard]") {
  const Guarded guarded;
  constexpr Change cutting = [](auto order) {
    order.getTask().initIpAddresses().setInterface("e0");
  };
  constexpr Change checked = [](auto order) { order.setMode(schema::Mode::CHECK); };
  constexpr Change timed = [](auto order) { order.setConfirmWithin(60); };

  CHECK(guarded.denied({cutting}).reason == Refusal::MALFORMED);
  CHECK(std::holds_alternative<Admission>(guarded.check({cutting, timed})));
  CHECK(std::holds_alternative<Admission>(guarded.check({cutting, checked})));
}

TEST_CASE("guard: of several things that are wrong the first in order is told", "[agent][guard]") {
  const Guarded guarded;

  CHECK(
      guarded
          .denied({forbidden_kind, no_task_id, other_lab, too_late, other_session, other_audience})
          .reason == Refusal::WRONG_AUDIENCE);
  CHECK(guarded.denied({forbidden_kind, no_task_id, other_lab, too_late, other_session}).reason ==
        Refusal::WRONG_SESSION);
  CHECK(guarded.denied({forbidden_kind, no_task_id, other_lab, too_late}).reason ==
        Refusal::EXPIRED);
  CHECK(guarded.denied({forbidden_kind, no_task_id, other_lab}).reason == Refusal::WRONG_LAB);
  CHECK(guarded.denied({forbidden_kind, no_task_id}).reason == Refusal::MALFORMED);
}

TEST_CASE("guard: a denial names the task and the order it is about", "[agent][guard]") {
  const Guarded guarded;

  const auto denial = guarded.denied({forbidden_kind});

  CHECK(denial.task_id == Bytes(16, 2));
  CHECK(denial.order_digest != crypto::Digest{});
  CHECK(denial.what == "the role 'probe' does not permit the task kind 'auditZfs'");
}

TEST_CASE("guard: a signed frame that is no order is malformed", "[agent][guard]") {
  const Guarded guarded;
  const auto garbage = sign_payload(guarded.controller, PayloadType<schema::Order>::name,
                                    bytes_of("no order at all"));

  const auto verdict = guarded.check_frame(garbage);

  REQUIRE(std::holds_alternative<Denial>(verdict));
  CHECK(std::get<Denial>(verdict).reason == Refusal::MALFORMED);
}

TEST_CASE("task digest: the same for another sending of the same task only", "[agent][guard]") {
  const auto agent = fixed_keys(2);
  const auto digest_with = [&](Change change) {
    auto draft = good_order(agent);
    change(*draft);
    const auto order = std::move(draft).finish();
    return task_digest(order.reader());
  };
  const auto same = digest_with([](auto) {});

  CHECK(digest_with([](auto order) { order.setNonce(blob(Bytes(16, 9))); }) == same);
  CHECK(digest_with([](auto order) { order.setIssuedAt(1); }) == same);
  CHECK(digest_with([](auto order) { order.setNotAfter(1); }) == same);
  CHECK(digest_with([](auto order) { order.setLab("work"); }) != same);
  CHECK(digest_with([](auto order) { order.setRun(blob(Bytes(16, 9))); }) != same);
  CHECK(digest_with([](auto order) { order.setTaskId(blob(Bytes(16, 9))); }) != same);
  CHECK(digest_with([](auto order) { order.setAttempt(2); }) != same);
  CHECK(digest_with([](auto order) { order.setMode(schema::Mode::CHECK); }) != same);
  CHECK(digest_with([](auto order) { order.getTask().getPing().setEcho("other"); }) != same);
  CHECK(digest_with([](auto order) { order.getTask().initAuditZfs(); }) != same);
}

namespace {

/// The table of docs/roles.md: for each kind, as lab.toml calls it, the roles that have "yes".
std::map<std::string, std::vector<std::string>> documented() {
  std::map<std::string, std::vector<std::string>> table;
  std::vector<std::string> roles;
  const auto text = must(read_small_file(RELAB_TEST_DATA "/../../docs/roles.md"));
  for (const auto line : lines(text)) {
    if (!line.starts_with("| ") || line.starts_with("| ---")) continue;
    std::vector<std::string> cells;
    for (const auto cell : split(line.substr(1), '|')) cells.emplace_back(trim(cell));
    if (roles.empty()) {
      roles.assign(cells.begin() + 1, cells.end() - 1);
      continue;
    }
    REQUIRE(cells.size() == roles.size() + 2);
    auto& permitted = table[cells[0].substr(1, cells[0].size() - 2)];
    for (std::size_t i = 0; i < roles.size(); ++i)
      if (cells[i + 1] == "yes") permitted.push_back(roles[i]);
  }
  return table;
}

std::string key_of(std::string_view arm) {
  std::string key;
  for (const char letter : arm) {
    if (std::isupper(static_cast<unsigned char>(letter)) != 0) key += '_';
    key += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return key;
}

}  // namespace

TEST_CASE("guard: each role takes the task kinds that docs/roles.md says, and no other",
          "[agent][guard]") {
  const std::filesystem::path folder = RELAB_TEST_DATA "/../../packaging/roles";
  std::map<std::string, std::vector<std::string>> taken;
  for (const auto field : capnp::Schema::from<schema::Task>().getUnionFields()) {
    const std::string arm = field.getProto().getName().cStr();
    if (arm == "unset") continue;
    auto& roles = taken[key_of(arm)];
    for (const auto* name : {"proxmox", "pbs", "wireguard", "monitoring", "jellyfin", "arr",
                             "trillian", "vault", "admin"}) {
      Guarded guarded;
      guarded.role = must(RoleLimits::load(folder, name));
      auto order = good_order(guarded.agent);
      capnp::toDynamic(order->getTask()).init(arm.c_str());
      const auto verdict = guarded.check_frame(sign(guarded.controller, std::move(order).finish()));
      const auto* denial = std::get_if<Denial>(&verdict);
      if (denial == nullptr || denial->reason != Refusal::KIND_FORBIDDEN) roles.emplace_back(name);
    }
  }

  CHECK(taken == documented());
}

}  // namespace relab::agent
