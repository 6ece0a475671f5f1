import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models


#: Group -> what it may do with the emails in the outbox; "change" is the right to send one again.
GROUPS = {
    "Owner": ["view", "change"],
    "Fulfilment": ["view", "change"],
    "Viewer": ["view"],
}


def grant_permissions(apps, schema_editor):
    """Give the default groups, where they still exist, their permissions on the new model."""
    shop = apps.get_app_config("shop")
    shop.models_module = getattr(shop, "models_module", True)
    create_permissions(shop, verbosity=0, apps=apps)
    Permission = apps.get_model("auth", "Permission")
    for group in apps.get_model("auth", "Group").objects.filter(name__in=GROUPS):
        codenames = [f"{action}_outboxmessage" for action in GROUPS[group.name]]
        group.permissions.add(
            *Permission.objects.filter(content_type__app_label="shop", codename__in=codenames)
        )


class Migration(migrations.Migration):

    dependencies = [
        ('shop', '0003_groups'),
    ]

    operations = [
        migrations.CreateModel(
            name='OutboxMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'Email')], default='email', editable=False, max_length=10, verbose_name='channel')),
                ('kind', models.CharField(max_length=40, verbose_name='message')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
                ('recipient', models.CharField(max_length=254, verbose_name='to')),
                ('payload', models.JSONField(blank=True, default=dict, verbose_name='contents')),
                ('status', models.CharField(choices=[('pending', 'Waiting'), ('sent', 'Sent'), ('failed', 'Failed')], default='pending', max_length=10, verbose_name='status')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('error', models.TextField(blank=True, verbose_name='last error')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='created')),
                ('due_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='next attempt')),
                ('expires_at', models.DateTimeField(verbose_name='no attempt after')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='shop.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'email',
                'verbose_name_plural': 'emails',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('status', 'pending')), fields=['due_at'], name='message_due'), models.Index(condition=models.Q(('status', 'failed')), fields=['-created_at'], name='message_failed'), models.Index(condition=models.Q(('kind', 'password_reset')), fields=['user', 'created_at'], name='message_of_password_reset')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'sent', 'failed'])), name='message_status_is_known')],
            },
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
    ]
