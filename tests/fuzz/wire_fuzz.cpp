// Any bytes as a frame, and as each kind of payload and stored message: what is accepted can be
// read whole, shown as JSON and copied without trouble.

#include <cstddef>
#include <cstdint>

#include "agent/guard/guard.h"
#include "common/crypto/enrol_code.h"
#include "common/crypto/identity.h"
#include "schema/keys.capnp.h"
#include "schema/lab.capnp.h"
#include "schema/role.capnp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace relab;

template <typename T>
void parse(ByteView bytes) {
  const auto message = Message<T>::parse(bytes);
  if (!message) return;
  RELAB_ASSERT(!message->to_json().empty());
  Draft<T> copy(message->reader());
  RELAB_ASSERT(Message<T>::parse(std::move(copy).finish().bytes()).has_value());
}

void order(ByteView bytes) {
  const auto order = Message<schema::Order>::parse(bytes);
  if (order) static_cast<void>(agent::task_digest(order->reader()));
}

crypto::Keys fixed_keys(std::uint8_t seed) {
  return *crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed));
}

/// The order as the controller would sign it, for this agent, now: what remains to be refused is in
/// the order itself. What it brings as evidence and approval is signed by whom it should be, so
/// that what is in there is read, too.
Message<schema::Order> addressed(schema::Order::Reader given, const crypto::Keys& controller,
                                 const crypto::Keys& agent, const agent::Nonce& nonce) {
  Draft<schema::Order> order(given);
  order->setLab("fuzz");
  order->setAudience(blob(agent.sign_key()));
  order->setNonce(blob(nonce));
  auto evidence = order->getEvidence();
  for (unsigned i = 0; i < evidence.size(); ++i) {
    const auto report = view(given.getEvidence()[i]);
    evidence.set(i, blob(sign_payload(agent, PayloadType<schema::Report>::name, report).bytes()));
  }
  const auto approval = view(given.getApproval());
  order->setApproval(
      blob(sign_payload(controller, PayloadType<schema::Approval>::name, approval).bytes()));
  return std::move(order).finish();
}

/// Whatever an order says, the agent admits or denies it, and judges the grounds of what it admits.
void admission(ByteView bytes) {
  static const auto controller = fixed_keys(1);
  static const auto agent_keys = fixed_keys(2);
  static const agent::Nonce nonce{};
  static const auto role = *agent::RoleLimits::parse(
      R"({"name": "fuzz", "kinds": ["ping", "wipeDisk", "diskAttached", "ipAddresses"]})");
  const auto given = Message<schema::Order>::parse(bytes);
  if (!given) return;
  const auto order = addressed(given->reader(), controller, agent_keys, nonce);
  std::optional<crypto::Digest> newest;
  if (order.reader().getEvidence().size() > 0)
    newest = payload_digest(view(order.reader().getEvidence()[0]));
  const agent::Terms terms{
      .lab = "fuzz",
      .name = "fuzz",
      .machine_id = "m",
      .keys = agent_keys,
      .nonce = nonce,
      .role = role,
      .now = instant_of(order.reader().getIssuedAt()),
      .known = [](ByteView) { return false; },
      .pinned = [](const auto& key) { return key == controller.sign_key(); },
      .newest_report = [&](std::string_view,
                           std::string_view) -> Result<std::optional<agent::Newest>> {
        return newest ? std::optional(agent::Newest{.digest = *newest}) : std::nullopt;
      }};
  const auto grounds = agent::check_grounds(order.reader(), terms);
  RELAB_ASSERT((grounds.reason == schema::Refusal::NONE) == grounds.what.empty());
  auto opening = open_frame(sign(controller, order).bytes(), frame_size_max,
                            [](const auto& key) { return key == controller.sign_key(); });
  if (!opening.opened) return;
  const auto judged = agent::check_order(*opening.opened, terms);
  if (const auto* denial = std::get_if<agent::Denial>(&judged))
    RELAB_ASSERT(denial->reason != schema::Refusal::NONE && !denial->what.empty());
  else
    RELAB_ASSERT(grounds.reason == schema::Refusal::NONE);
}

void frame(ByteView bytes) {
  const auto opening = open_frame(bytes, message_size_max, [](const auto&) { return true; });
  RELAB_ASSERT(!opening.opened || verify_envelope(opening.opened->envelope.reader()));
  static_cast<void>(read_identity(bytes, schema::Role::AGENT).has_value());
}

void code(ByteView bytes) {
  const auto code = crypto::EnrolCode::parse(text_of(bytes));
  if (code) RELAB_ASSERT(crypto::EnrolCode::parse(code->text())->text() == code->text());
}

void json(ByteView bytes) {
  const auto manifest = Message<schema::RoleManifest>::from_json(text_of(bytes));
  if (manifest) RELAB_ASSERT(!manifest->to_json().empty());
}

using Parser = void (*)(ByteView);
constexpr Parser parsers[] = {
    frame,
    order,
    code,
    json,
    parse<schema::Envelope>,
    parse<schema::Identity>,
    parse<schema::EnrolOffer>,
    parse<schema::EnrolAnswer>,
    parse<schema::EnrolConfirm>,
    parse<schema::EnrolDone>,
    parse<schema::Attach>,
    parse<schema::Hello>,
    parse<schema::Order>,
    parse<schema::Receipt>,
    parse<schema::Progress>,
    parse<schema::Report>,
    parse<schema::Ack>,
    parse<schema::Cancel>,
    parse<schema::Checkpoint>,
    parse<schema::Entry>,
    parse<schema::SealedKeys>,
    parse<schema::RoleManifest>,
    parse<schema::TrustSet>,
    parse<schema::Lab>,
    parse<schema::Approval>,
    parse<schema::Waiver>,
    parse<schema::Unconfirmed>,
    parse<schema::Confirm>,
    admission,
    // The seeds name them by their places.
    parse<schema::Want>,
    parse<schema::Piece>,
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool started = (crypto::start(), true);
  if (!started || size == 0) return 0;
  const auto which = static_cast<std::size_t>(data[0]);
  if (which >= std::size(parsers)) return -1;
  parsers[which]({data + 1, size - 1});
  return 0;
}
