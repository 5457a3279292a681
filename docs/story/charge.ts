import { post, TooManyRequests } from "./http";
import { pause } from "./time";

export interface Order {
  id: string;
  total: number;
  giftCard?: string;
}

const ATTEMPTS = 3;

// Never charges twice: every attempt has the same idempotency key.
export async function charge(order: Order): Promise<Receipt> {
  const body = { order: order.id, amount: order.total, card: order.giftCard ?? null };
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await post("/charges", body, { key: order.id });
      return answer.receipt;
    } catch (error) {
      if (attempt === ATTEMPTS || !(error instanceof TooManyRequests)) throw error;
      await pause(2 ** attempt * 100);
    }
  }
}

export function refund(receipt: Receipt): Promise<void> {
  return post("/refunds", { receipt: receipt.id });
}
