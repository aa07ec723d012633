"""tickets and the outbox, and the database connection that everybody was in

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

def upgrade() -> None:
    op.create_table('tickets',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('user_id', sa.String(length=255), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('client_id', sa.String(length=255), nullable=True),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.user_id'], name=op.f('fk_tickets_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_tickets'))
    )
    op.create_index(op.f('ix_tickets_user_id'), 'tickets', ['user_id'])
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('to', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('template', sa.String(length=64), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('link', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox'))
    )
    # Databases seeded before there were connections: their people log in through this one, as before. A new one is
    # empty here, and its seed says which connections there are.
    db = op.get_bind()
    clients, connections = (sa.table(name) for name in ('clients', 'connections'))
    is_seeded = db.scalar(sa.select(sa.func.count()).select_from(clients))
    if is_seeded and not db.scalar(sa.select(sa.func.count()).select_from(connections)):
        table = sa.table('connections', sa.column('name'), sa.column('strategy'), sa.column('settings', sa.JSON()))
        op.bulk_insert(table, [{'name': 'Username-Password-Authentication', 'strategy': 'auth0', 'settings': {}}])

def downgrade() -> None:
    op.drop_table('outbox')
    op.drop_index(op.f('ix_tickets_user_id'), table_name='tickets')
    op.drop_table('tickets')
