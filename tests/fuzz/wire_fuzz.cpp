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
