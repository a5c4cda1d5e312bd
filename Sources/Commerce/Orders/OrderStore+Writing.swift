import Events
import Kernel
import Storage

extension OrderStore {
    /// Writes new orders with their lines and adjustments.
    static func insert(_ orders: [Order], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "id": .uuid, "tenant_id": .uuid, "org_id": .uuid, "idempotency_key": .text, "connection_id": .uuid,
            "external_id": .text, "channel": .text, "source_platform": .text, "status": .text,
            "source_status": .text, "currency": .text, "subtotal": .int, "discount": .int, "shipping": .int,
            "tax": .int, "total": .int, "refunded": .int, "difference": .int, "match_status": .text,
            "customer_name": .text, "customer_email": .text, "customer_external_id": .text, "source_version": .int,
            "inbox_id": .uuid, "placed_at": .int, "version": .int, "created_at": .int, "updated_at": .int,
            "number": .text, "tags": .text, "is_oversold": .int, "shown_currency": .text, "shown_discount": .int,
            "shown_shipping": .int, "shown_tax": .int, "shown_total": .int, "customer_id": .uuid,
        ])
        rows.reserve(orders.count)
        for order in orders {
            rows.append(
                .id(order.id), .id(order.scope.tenant), .id(order.scope.organisation), .text(order.idempotencyKey),
                .id(order.connection), .text(order.externalID), .text(order.channel), .text(order.sourcePlatform),
                .text(order.status.rawValue), .text(order.sourceStatus), .text(order.currency.code),
                .int(order.subtotal.minorUnits), .int(order.discount.minorUnits), .int(order.shipping.minorUnits),
                .int(order.tax.minorUnits), .int(order.total.minorUnits), .int(order.refunded.minorUnits),
                .int(order.totalDifference.minorUnits), .text(order.matchStatus.rawValue),
                .text(order.customer.name), .text(order.customer.email), .text(order.customer.externalID),
                .int(order.sourceVersion?.milliseconds ?? 0), .id(order.inbox), .time(order.placedAt),
                .int(order.version), .time(order.createdAt), .time(order.updatedAt), .text(order.number),
                tags(order), .flag(order.isOversold), .text(order.presentment?.total.currency.code),
                .int(order.presentment?.discount.minorUnits), .int(order.presentment?.shipping.minorUnits),
                .int(order.presentment?.tax.minorUnits), .int(order.presentment?.total.minorUnits),
                .id(order.customerID))
        }
        try transaction.execute(
            """
            INSERT INTO sales_order (id, tenant_id, org_id, idempotency_key, connection_id, external_id, channel,
                source_platform, status, source_status, currency, subtotal_minor, discount_minor, shipping_minor,
                tax_minor, total_minor, refunded_minor, total_difference_minor, match_status, customer_name,
                customer_email, customer_external_id, source_version, inbox_id, placed_at, version, created_at,
                updated_at, number, tags, is_oversold, presentment_currency, presentment_discount_minor,
                presentment_shipping_minor, presentment_tax_minor, presentment_total_minor, customer_id)
            SELECT id, tenant_id, org_id, idempotency_key, connection_id, external_id, channel, source_platform,
                status, source_status, currency, subtotal, discount, shipping, tax, total, refunded, difference,
                match_status, customer_name, customer_email, customer_external_id, source_version, inbox_id,
                placed_at, version, created_at, updated_at, number, tags, is_oversold, shown_currency,
                shown_discount, shown_shipping, shown_tax, shown_total, customer_id
            FROM {rows} r
            """, rows: rows)
        try insertLines(of: orders, in: transaction)
        try writeAdjustments(of: orders, in: transaction)
    }

    private static func tags(_ order: Order) -> SQLValue {
        order.tags.isEmpty ? .null : .text(order.tags.joined(separator: "\n"))
    }

    /// Writes changed orders as they now are. Their rows were locked before.
    static func update(_ orders: [Order], in transaction: any Transaction) throws {
        if orders.isEmpty { return }
        var rows = RowBatch([
            "order_id": .uuid, "new_status": .text, "new_source_status": .text, "subtotal": .int, "discount": .int,
            "shipping": .int, "tax": .int, "total": .int, "refunded": .int, "difference": .int, "new_match": .text,
            "name": .text, "email": .text, "customer": .text, "told_at": .int, "new_inbox": .uuid,
            "new_version": .int, "stamp": .int, "new_number": .text, "new_tags": .text, "oversold": .int,
            "shown_currency": .text, "shown_discount": .int, "shown_shipping": .int, "shown_tax": .int,
            "shown_total": .int, "linked_customer": .uuid,
        ])
        for order in orders {
            rows.append(
                .id(order.id), .text(order.status.rawValue), .text(order.sourceStatus),
                .int(order.subtotal.minorUnits), .int(order.discount.minorUnits), .int(order.shipping.minorUnits),
                .int(order.tax.minorUnits), .int(order.total.minorUnits), .int(order.refunded.minorUnits),
                .int(order.totalDifference.minorUnits), .text(order.matchStatus.rawValue),
                .text(order.customer.name), .text(order.customer.email), .text(order.customer.externalID),
                .int(order.sourceVersion?.milliseconds ?? 0), .id(order.inbox), .int(order.version),
                .time(order.updatedAt), .text(order.number), tags(order), .flag(order.isOversold),
                .text(order.presentment?.total.currency.code), .int(order.presentment?.discount.minorUnits),
                .int(order.presentment?.shipping.minorUnits), .int(order.presentment?.tax.minorUnits),
                .int(order.presentment?.total.minorUnits), .id(order.customerID))
        }
        try transaction.execute(
            """
            UPDATE sales_order SET status = r.new_status, source_status = r.new_source_status,
                subtotal_minor = r.subtotal, discount_minor = r.discount, shipping_minor = r.shipping,
                tax_minor = r.tax, total_minor = r.total, refunded_minor = r.refunded,
                total_difference_minor = r.difference, match_status = r.new_match, customer_name = r.name,
                customer_email = r.email, customer_external_id = r.customer, source_version = r.told_at,
                inbox_id = r.new_inbox, version = r.new_version, updated_at = r.stamp, number = r.new_number,
                tags = r.new_tags, is_oversold = r.oversold, presentment_currency = r.shown_currency,
                presentment_discount_minor = r.shown_discount, presentment_shipping_minor = r.shown_shipping,
                presentment_tax_minor = r.shown_tax, presentment_total_minor = r.shown_total,
                customer_id = r.linked_customer
            FROM {rows} r WHERE id = r.order_id
            """, rows: rows)
        let ids = RowBatch(wanted: orders.lazy.map(\.id))
        try transaction.execute(
            "DELETE FROM order_line WHERE order_id IN (SELECT wanted FROM {rows} r)", rows: ids)
        try insertLines(of: orders, in: transaction)
        try writeAdjustments(of: orders, in: transaction)
    }

    private static func insertLines(of orders: [Order], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "order_id": .uuid, "line_key": .text, "position": .int, "tenant_id": .uuid, "external_item_id": .text,
            "sku": .text, "title": .text, "variant_id": .uuid, "match": .text, "ordered": .int, "current": .int,
            "fulfilled": .int, "unit_price": .int, "total": .int, "tax": .int, "place": .uuid, "shipped": .int,
            "returned": .int,
        ])
        for order in orders {
            for (position, line) in order.lines.enumerated() {
                rows.append(
                    .id(order.id), .text(line.key), .int(position), .id(order.scope.tenant), .text(line.itemID),
                    .text(line.sku), .text(line.title), .id(line.variant), .text(line.match.rawValue),
                    .int(line.quantityOrdered), .int(line.quantityCurrent), .int(line.quantityFulfilled),
                    .int(line.unitPrice.minorUnits), .int(line.total.minorUnits), .int(line.tax.minorUnits),
                    .id(line.location), .int(line.quantityShipped), .int(line.quantityReturned))
            }
        }
        try transaction.execute(
            """
            INSERT INTO order_line (order_id, line_key, position, tenant_id, external_item_id, sku, title, variant_id,
                match, quantity_ordered, quantity_current, quantity_fulfilled, unit_price_minor, total_minor,
                tax_minor, location_id, quantity_shipped, quantity_returned)
            SELECT order_id, line_key, position, tenant_id, external_item_id, sku, title, variant_id, match, ordered,
                current, fulfilled, unit_price, total, tax, place, shipped, returned
            FROM {rows} r
            """, rows: rows)
    }

    /// Writes new adjustments and those that their source restated. When one was first recorded stays, and so does its
    /// place among the others.
    private static func writeAdjustments(of orders: [Order], in transaction: any Transaction) throws {
        var rows = RowBatch([
            "order_id": .uuid, "external_id": .text, "tenant_id": .uuid, "amount": .int, "reason": .text,
            "stamp": .int, "from_source": .int,
        ])
        for order in orders {
            for adjustment in order.adjustments {
                rows.append(
                    .id(order.id), .text(adjustment.externalID), .id(order.scope.tenant),
                    .int(adjustment.amount.minorUnits), .text(adjustment.reason), .time(order.updatedAt),
                    .flag(adjustment.isFromSource))
            }
        }
        try transaction.execute(
            """
            INSERT INTO order_adjustment (order_id, external_id, tenant_id, kind, amount_minor, reason, recorded_at,
                is_from_source)
            SELECT order_id, external_id, tenant_id, 'refund', amount, reason, stamp, from_source
            FROM {rows} r WHERE true
            ON CONFLICT (order_id, external_id)
                DO UPDATE SET amount_minor = excluded.amount_minor, reason = excluded.reason
                WHERE order_adjustment.amount_minor <> excluded.amount_minor
                    OR coalesce(order_adjustment.reason, '') <> coalesce(excluded.reason, '')
            """, rows: rows)
    }
}
