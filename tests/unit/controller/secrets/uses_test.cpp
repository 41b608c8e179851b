// Which secrets a plan uses, and whether they are there.

#include "controller/secrets/uses.h"

#include "common/crypto/sealed_secret.h"
#include "controller/run/sealing.h"
#include "tests/support/records.h"

namespace relab::controller {

namespace {

Message<schema::Lab> lab() {
  return must(Message<schema::Lab>::from_json(R"({"name": "home", "plan": {"phases": [
      {"name": "0b", "tracks": [{"name": "keys", "agent": "pve", "steps": [
          {"name": "tank", "task": {"zfsKeyCheck": {"dataset": "tank", "key": "tank-key"}}},
          {"name": "ping", "task": {"ping": {}}},
          {"name": "docs", "task": {"zfsKeyCheck": {"dataset": "tank/docs", "key": "docs-key"}}}]}]},
      {"name": "1", "tracks": [{"name": "again", "agent": "box", "steps": [
          {"name": "tank", "task": {"zfsKeyCheck": {"dataset": "tank", "key": "tank-key"}}}]}]}]}})"));
}

const auto monday = instant_of(1'760'000'000'000);

Result<StoredSecret> only_tank(const std::string& name) {
  crypto::start();
  if (name == "tank-key")
    return StoredSecret{.value = crypto::Secret::of(bytes_of("correct horse")), .set_at = monday};
  return fail(Fault::missing, "none");
}

Draft<schema::Order> order() {
  Draft<schema::Order> order;
  order->setLab("home");
  order->setTaskId(blob(Bytes(16, 2)));
  order->setStep("0b/keys/tank");
  order->getTask().initZfsKeyCheck().setKey("tank-key");
  return order;
}

}  // namespace

TEST_CASE("secrets: each is used by steps, on agents", "[controller][secrets]") {
  const auto users = secret_users(lab().reader());

  CHECK(users == SecretUsers{{"docs-key", {{.step = "0b/keys/docs", .agent = "pve"}}},
                             {"tank-key",
                              {{.step = "0b/keys/tank", .agent = "pve"},
                               {.step = "1/again/tank", .agent = "box"}}}});
  CHECK(secret_users(must(compile_phase(lab().reader(), "1"))).size() == 1);
}

TEST_CASE("secrets: what is missing is told with the step and the command",
          "[controller][secrets]") {
  const auto all = secret_users(lab().reader());

  const auto there = check_secrets(all, only_tank);

  REQUIRE_FALSE(there);
  CHECK(there.error().fault == Fault::missing);
  CHECK(there.error().what ==
        "no secret 'docs-key' (for 0b/keys/docs on pve) is stored: nothing was ordered");
  CHECK(there.error().hint == "`relab secret set docs-key`, then run it again");
  must(check_secrets({{"tank-key", all.at("tank-key")}}, only_tank));
  must(check_secrets({}, {}));
}

TEST_CASE("secrets: an order brings what its task names, sealed to its agent alone",
          "[controller][secrets]") {
  const auto agent = fixed_keys(2);
  auto draft = order();

  must(seal_secrets(*draft, agent.seal_key(), only_tank));

  const auto secrets = draft->asReader().getSecrets();
  REQUIRE(secrets.size() == 1);
  const Bytes task(16, 2);
  const crypto::SecretUse use{.lab = "home", .task = task, .name = "tank-key"};
  const auto value = must(crypto::open_secret(agent, use, view(secrets[0].getBox())));
  CHECK(text_of(value.view()) == "correct horse");
  CHECK_FALSE(crypto::open_secret(fixed_keys(3), use, view(secrets[0].getBox())));
  CHECK(instant_of(secrets[0].getSetAt()) == monday);
}

TEST_CASE("secrets: without one nothing is ordered", "[controller][secrets]") {
  auto draft = order();
  draft->getTask().getZfsKeyCheck().setKey("other");

  CHECK(seal_secrets(*draft, fixed_keys(2).seal_key(), only_tank).error().fault == Fault::missing);
  CHECK(seal_secrets(*draft, fixed_keys(2).seal_key(), {}).error().fault == Fault::missing);
  CHECK_FALSE((draft->hasSecrets() && draft->asReader().getSecrets()[0].hasBox()));
}

TEST_CASE("secrets: an order whose task names none is left as it is", "[controller][secrets]") {
  Draft<schema::Order> draft;
  draft->getTask().initPing();

  must(seal_secrets(*draft, fixed_keys(2).seal_key(), {}));

  CHECK_FALSE(draft->hasSecrets());
}

}  // namespace relab::controller
