#include "resolver/server/udp_listener.h"

#include <utility>

namespace sekisho::resolver {

UdpListener::UdpListener(io::EventLoop& loop, io::UniqueFd fd, UdpClients* clients, QuestionHandler* handler)
    : fd_(std::move(fd)),
      clients_(clients),
      handler_(handler),
      watcher_(loop, fd_.get(), [this](io::FdWatcher::Events) { OnReadable(); }) {
  for (auto& reply : replies_) reply.reserve(io::UdpBatch::kMaxDatagram);
  watcher_.Want({.read = true});
}

void UdpListener::OnReadable() {
  handler_->BeginRound();
  for (int round = 0; round < kRoundBatches; ++round) {
    const size_t n = batch_.Receive(fd_.get());
    std::array<std::span<const uint8_t>, io::UdpBatch::kBatch> packets;
    for (size_t i = 0; i < n; ++i) packets[i] = batch_.bytes(i);
    handler_->Expect({packets.data(), n});
    for (size_t i = 0; i < n; ++i) Answer(i);
    batch_.Flush(fd_.get());
    if (n < io::UdpBatch::kBatch) break;
  }
  handler_->EndRound();
}

void UdpListener::Answer(size_t i) {
  ClientQuestion question;
  question.packet = batch_.bytes(i);
  question.client = batch_.peer(i);
  // Port 0 cannot be answered; it is only ever sent to provoke errors.
  if (question.client.port == 0) return;
  question.transport = record::Transport::kUdp;
  question.token = clients_->Reserve();
  switch (handler_->OnQuestion(question, &replies_[i])) {
    case Handled::kPending: {
      UdpClient* client = clients_->Find(question.token);
      client->listener = this;
      client->path = batch_.path(i);
      return;
    }
    case Handled::kReplied:
      batch_.Reply(i, replies_[i]);
      break;
    case Handled::kDropped:
      break;
  }
  clients_->Release(question.token);
}

void UdpListener::SendLater(const io::UdpPath& path, std::vector<uint8_t> packet) {
  late_.push_back(std::move(packet));
  batch_.Send(path, late_.back());
  if (late_.size() == io::UdpBatch::kBatch) Flush();
}

void UdpListener::Flush() {
  if (late_.empty()) return;
  batch_.Flush(fd_.get());
  late_.clear();
}

}  // namespace sekisho::resolver
