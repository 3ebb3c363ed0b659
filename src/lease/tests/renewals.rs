//! Renewals past a maximum that was shortened and beside the sweep; ids that can be none.

use super::*;

/// What a revoker says of the role of a lease.
struct Shortened(Ttl);

#[async_trait]
impl Revoker for Shortened {
    async fn undo(&self, _: &Lease) -> Result<()> {
        Ok(())
    }

    async fn renew(&self, _: &Lease, _: Timestamp) -> Result<Renewal> {
        Ok(Renewal::Terms { ttl: Ttl::from_seconds(50), max_ttl: self.0 })
    }
}

#[tokio::test]
async fn past_a_maximum_that_was_shortened_a_lease_keeps_its_end() {
    let f = fixture().await;
    let mut new = NewLease::of(&json!({"user": "u"})).unwrap();
    new.ttl = Ttl::from_seconds(900);
    let mut txn = Txn::new();
    let (lease, _) = f.leases.register(new, &GRANT, &mut txn).await.unwrap();
    f.barrier.commit(txn).await.unwrap();
    f.advance(300);
    let asked = Ttl::from_seconds(10);
    let shorter = Bounds { max_ttl: Ttl::from_seconds(300), ..BOUNDS };
    let by_mount = f.leases.renew(&lease.id, asked, shorter, &*f.ledger, &mut Txn::new()).await;
    let role = Shortened(Ttl::from_seconds(200));
    let by_role = f.leases.renew(&lease.id, asked, BOUNDS, &role, &mut Txn::new()).await;
    for refused in [by_mount, by_role] {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidRequest);
        assert!(error.to_string().contains("past the max TTL"), "{error}");
    }
    assert_eq!(f.leases.lease(&lease.id).await.unwrap().unwrap().expires, lease.expires);
    let role = Shortened(Ttl::from_seconds(301));
    let (renewed, _) = f.leases.renew(&lease.id, asked, BOUNDS, &role, &mut Txn::new()).await.unwrap();
    assert_eq!(renewed.remaining(f.clock.now()), 1);
}

#[tokio::test]
async fn what_was_renewed_since_it_was_due_is_not_undone() {
    let f = fixture().await;
    let lease = register(&f, &GRANT).await;
    let mut renewal = Txn::new();
    f.leases.renew(&lease.id, Ttl::default(), BOUNDS, &*f.ledger, &mut renewal).await.unwrap();
    f.advance(50);
    f.barrier.commit(renewal).await.unwrap();
    f.leases.undo(&lease.id, &*f.ledger).await.unwrap();
    assert_eq!(f.undone(), 0);
    f.leases.revoke(&lease.id, &*f.ledger).await.unwrap();
    assert_eq!(f.undone(), 1, "who asks for its end gets it");
}

#[tokio::test]
async fn what_can_be_no_id_is_no_lease() {
    let f = fixture().await;
    for id in ["", "a//b", "a/", "/a", &"x".repeat(9000)] {
        assert!(f.leases.lease(id).await.unwrap().is_none());
        assert!(f.leases.doom(id).await.unwrap().is_none());
        f.leases.revoke(id, &*f.ledger).await.unwrap();
        let error = f.leases.renew(id, Ttl::default(), BOUNDS, &*f.ledger, &mut Txn::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "lease not found");
    }
}
