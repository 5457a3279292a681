import { post } from "./http";

export interface Order {
  id: string;
  total: number;
}

// One attempt; the customer sees the error page when it fails.
export async function charge(order: Order): Promise<Receipt> {
  const answer = await post("/charges", { order: order.id, amount: order.total });
  return answer.receipt;
}

export function refund(receipt: Receipt): Promise<void> {
  return post("/refunds", { receipt: receipt.id });
}
