// Statements of who somebody is.

#include "common/crypto/identity.h"

#include "tests/support/must.h"

namespace relab {

namespace {

crypto::Keys fixed_keys(std::uint8_t seed) {
  crypto::start();
  return must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
}

Bytes stated(const crypto::Keys& keys) {
  return state_identity(keys, {.role = schema::Role::AGENT,
                               .name = "pve",
                               .machine_id = "0123456789abcdef",
                               .agent_role = "host"});
}

}  // namespace

TEST_CASE("identity: what was stated is read, with every key", "[common][crypto]") {
  const auto keys = fixed_keys(1);

  const auto party = must(read_identity(stated(keys), schema::Role::AGENT));

  CHECK(party.name == "pve");
  CHECK(party.machine_id == "0123456789abcdef");
  CHECK(party.agent_role == "host");
  CHECK(party.sign_key == keys.sign_key());
  CHECK(party.curve_key == keys.curve_key());
  CHECK(party.seal_key == keys.seal_key());
  CHECK(party.statement == stated(keys));
}

TEST_CASE("identity: an agent is no controller", "[common][crypto]") {
  CHECK_FALSE(read_identity(stated(fixed_keys(1)), schema::Role::CONTROLLER));
}

TEST_CASE("identity: no changed bit gives another identity", "[common][crypto]") {
  const auto whole = stated(fixed_keys(1));

  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto changed = whole;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const auto party = read_identity(changed, schema::Role::AGENT);
    INFO("bit " << bit);
    if (party) CHECK(party->sign_key == fixed_keys(1).sign_key());
    if (party) CHECK(party->name == "pve");
  }
}

TEST_CASE("identity: a statement about another's key is refused", "[common][crypto]") {
  const auto mine = fixed_keys(1);
  const auto theirs = fixed_keys(2);
  Draft<schema::Identity> identity;
  identity->setRole(schema::Role::AGENT);
  identity->setSignKey(blob(theirs.sign_key()));
  identity->setCurveKey(blob(mine.curve_key()));
  identity->setSealKey(blob(mine.seal_key()));

  const auto party =
      read_identity(sign(mine, std::move(identity).finish()).bytes(), schema::Role::AGENT);

  REQUIRE_FALSE(party);
  CHECK(party.error().what == "an identity signed by another key");
}

TEST_CASE("identity: another signed message is no identity", "[common][crypto]") {
  Draft<schema::Ack> ack;

  CHECK_FALSE(
      read_identity(sign(fixed_keys(1), std::move(ack).finish()).bytes(), schema::Role::AGENT));
  CHECK_FALSE(read_identity({}, schema::Role::AGENT));
}

}  // namespace relab
