#include "common/crypto/identity.h"

namespace relab {

namespace {

constexpr std::size_t statement_size_max = 4096;
constexpr std::uint32_t first_epoch = 1;

Bytes copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

Bytes state_identity(const crypto::Keys& keys, const Introduction& introduction) {
  Draft<schema::Identity> identity;
  identity->setRole(introduction.role);
  identity->setName(introduction.name);
  identity->setSignKey(blob(keys.sign_key()));
  identity->setCurveKey(blob(keys.curve_key()));
  identity->setSealKey(blob(keys.seal_key()));
  identity->setEpoch(first_epoch);
  identity->setMachineId(introduction.machine_id);
  identity->setAgentRole(introduction.agent_role);
  return copy(sign(keys, std::move(identity).finish()).bytes());
}

Result<Party> read_identity(ByteView statement, schema::Role expected) {
  const auto opening = open_frame(statement, statement_size_max, [](const auto&) { return true; });
  if (!opening.opened)
    return fail(Fault::damaged,
                "an identity that does not verify: " + std::string(name(opening.reason)));
  RELAB_TRY(const auto identity, opening.opened->as<schema::Identity>());
  const auto reader = identity.reader();
  RELAB_TRY(const auto sign_key, crypto::public_key(view(reader.getSignKey())));
  RELAB_TRY(const auto curve_key, crypto::public_key(view(reader.getCurveKey())));
  RELAB_TRY(const auto seal_key, crypto::public_key(view(reader.getSealKey())));
  if (sign_key != opening.opened->signer)
    return fail(Fault::damaged, "an identity signed by another key");
  if (reader.getRole() != expected)
    return fail(Fault::damaged, "an identity of the other kind of party");
  return Party{.role = expected,
               .name = str(reader.getName()),
               .sign_key = sign_key,
               .curve_key = curve_key,
               .seal_key = seal_key,
               .machine_id = str(reader.getMachineId()),
               .agent_role = str(reader.getAgentRole()),
               .statement = copy(statement)};
}

}  // namespace relab
