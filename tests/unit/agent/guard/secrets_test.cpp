// The secrets of orders before the guard.

#include <fmt/format.h>

#include "agent/guard/guard.h"
#include "common/crypto/sealed_secret.h"
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
const Bytes task(16, 2);
const Bytes other_task(16, 3);

using Change = void (*)(schema::Order::Builder, const crypto::Keys& agent);

void put(schema::SealedSecret::Builder row, const crypto::Keys& agent, std::string_view name,
         const crypto::SecretUse& use) {
  row.setName(std::string(name));
  row.setBox(blob(
      crypto::seal_secret(agent.seal_key(), use, crypto::Secret::of(bytes_of("correct horse")))));
}

crypto::SecretUse right_use() { return {.lab = "home", .task = task, .name = "tank-key"}; }

struct Guarded {
  crypto::Keys controller = fixed_keys(1);
  crypto::Keys agent = fixed_keys(2);
  RoleLimits role = must(
      RoleLimits::parse(R"({"name": "r", "kinds": ["ping", "zfsKeyCheck"], "pools": ["tank"]})"));
  bool known = false;

  Message<schema::Order> order(Change change) const {
    Draft<schema::Order> order;
    order->setLab("home");
    order->setRun(blob(Bytes(16, 1)));
    order->setTaskId(blob(task));
    order->setAudience(blob(agent.sign_key()));
    order->setNonce(blob(nonce));
    order->setNotAfter(unix_millis(now));
    order->setDeadline(60);
    order->setMode(schema::Mode::APPLY);
    auto check = order->getTask().initZfsKeyCheck();
    check.setDataset("tank/documents");
    check.setKey("tank-key");
    change(*order, agent);
    return std::move(order).finish();
  }
  Refusal refusal(Change change) const {
    auto opening = open_frame(sign(controller, order(change)).bytes(), message_size_max,
                              [&](const auto& key) { return key == controller.sign_key(); });
    REQUIRE(opening.opened);
    const auto verdict =
        check_order(*opening.opened,
                    {.lab = "home",
                     .name = "pve",
                     .machine_id = "m1",
                     .keys = agent,
                     .nonce = nonce,
                     .role = role,
                     .now = now,
                     .known = [this](ByteView) { return known; },
                     .pinned = [&](const auto& key) { return key == controller.sign_key(); },
                     .newest_report = [](std::string_view,
                                         std::string_view) { return std::optional<Newest>(); }});
    const auto* denial = std::get_if<Denial>(&verdict);
    if (denial != nullptr) CHECK_FALSE(denial->what.empty());
    return denial == nullptr ? Refusal::NONE : denial->reason;
  }
};

constexpr Change right = [](auto order, const auto& agent) {
  put(order.initSecrets(1)[0], agent, "tank-key", right_use());
};

}  // namespace

TEST_CASE("guard: an order with the secrets that its task names is admitted", "[agent][guard]") {
  const Guarded guarded;

  CHECK(guarded.refusal(right) == Refusal::NONE);
  const auto secrets = must(open_secrets(guarded.order(right).reader(), guarded.agent));
  REQUIRE(secrets.size() == 1);
  CHECK(text_of(secrets.at("tank-key").view()) == "correct horse");
}

TEST_CASE("guard: secrets that are not those of the task are refused, each with its reason",
          "[agent][guard]") {
  const auto change = GENERATE(values<Change>({
      // None.
      [](auto, const auto&) {},
      // Another one.
      [](auto order, const auto& agent) {
        put(order.initSecrets(1)[0], agent, "other",
            {.lab = "home", .task = task, .name = "other"});
      },
      // One more.
      [](auto order, const auto& agent) {
        auto secrets = order.initSecrets(2);
        put(secrets[0], agent, "tank-key", right_use());
        put(secrets[1], agent, "other", {.lab = "home", .task = task, .name = "other"});
      },
      // Twice.
      [](auto order, const auto& agent) {
        auto secrets = order.initSecrets(2);
        put(secrets[0], agent, "tank-key", right_use());
        put(secrets[1], agent, "tank-key", right_use());
      },
      // For a task that names none.
      [](auto order, const auto& agent) {
        order.getTask().initPing();
        put(order.initSecrets(1)[0], agent, "tank-key", right_use());
      },
      // Of another order, lab or name.
      [](auto order, const auto& agent) {
        put(order.initSecrets(1)[0], agent, "tank-key",
            {.lab = "home", .task = other_task, .name = "tank-key"});
      },
      [](auto order, const auto& agent) {
        put(order.initSecrets(1)[0], agent, "tank-key",
            {.lab = "work", .task = task, .name = "tank-key"});
      },
      [](auto order, const auto& agent) {
        put(order.initSecrets(1)[0], agent, "tank-key",
            {.lab = "home", .task = task, .name = "other"});
      },
      // For another agent; no box at all.
      [](auto order, const auto&) {
        put(order.initSecrets(1)[0], fixed_keys(3), "tank-key", right_use());
      },
      [](auto order, const auto&) { order.initSecrets(1)[0].setName("tank-key"); },
  }));
  const Guarded guarded;

  CHECK(guarded.refusal(change) == Refusal::SECRET_UNUSABLE);
}

TEST_CASE("guard: a task that is known is answered, whatever became of its secrets",
          "[agent][guard]") {
  Guarded guarded;
  guarded.known = true;

  CHECK(guarded.refusal([](auto, const auto&) {}) == Refusal::NONE);
}

TEST_CASE("task digest: another sealing of the same task is the same task", "[agent][guard]") {
  const Guarded guarded;

  const auto first = guarded.order(right);
  const auto second = guarded.order(right);

  CHECK(hex(first.bytes()) != hex(second.bytes()));
  CHECK(task_digest(first.reader()) == task_digest(second.reader()));
}

}  // namespace relab::agent
